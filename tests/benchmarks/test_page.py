"""The page of results: what it compares, what it shows of the files, and that it is whole in itself."""

import base64
import re
import warnings
from html.parser import HTMLParser
from xml.etree import ElementTree

import benchmark_runs
import numpy as np
import pandas as pd
import pytest

from benchmarks import page, page_figures, page_html, page_plots
from benchmarks.page_figures import MEASURES, fields, measured, named, pareto_front

TAU_MEASURES = [*page._BY_TEMPERATURE, "kl", "gof", "wd"]
HEADINGS = {
    "q1": ["Ranking", "Measures", "Table by table"],
    "peers": ["Ranking", "Measures", "Table by table", "Quality against seconds"],
    "tau": ["Privacy and quality by temperature"],
    "q2": ["Incomplete training tables"],
    "q3": ["Multiple imputation"],
    "calibration": ["Calibration of conditional intervals"],
}
ODD = '<b>&"odd"</b>'


class Page(HTMLParser):
    """What a page holds: tags in order, texts, and the tables by the name of their box."""

    VOID = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.tables, self.headings = [], [], [], {}, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag not in self.VOID:
            self.open.append((tag, attrs))
        if tag == "table":
            # A name may come twice: the tables of data are those of several parts.
            box, held = self.open[-2]
            assert (box, held["class"], held["tabindex"]) == ("div", "scroll", "0")
            self.tables.setdefault((self.headings[-1], held["aria-label"]), [])
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "h2":
            self.headings.append("")

    @property
    def rows(self):
        return list(self.tables.values())[-1]

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1][0] in ("td", "th"):
            self.rows[-1][-1] += data
        elif self.open and self.open[-1][0] == "h2":
            self.headings[-1] += data


def noisy(runs, measures, seed=0):
    """Return runs whose figures all differ."""
    figures = np.random.default_rng(seed).uniform(0.1, 0.9, (len(runs), len(measures)))
    return runs.assign(**dict(zip(measures, figures.T)))


def q1(tables=("abalone", "loan"), seed=0, **columns):
    runs = benchmark_runs.made_up(tables, MEASURES, **{"model": "default", **columns})
    return noisy(runs.assign(n_train=99, n_columns=5, sample_s=1.0), list(MEASURES), seed)


def peers(*names, tables=("abalone", "loan"), **columns):
    parts = [q1(tables, seed=k, **columns).assign(peer=name) for k, name in enumerate(names, start=7)]
    runs = pd.concat(parts, ignore_index=True).drop(columns="model")
    runs["fit_s"] = [10.0**k for k, name in enumerate(names) for _ in range(len(runs) // len(names))]
    return runs.assign(peak_mib=500.0, packages="some 1.0")


def tau(taus=(1, 2), tables=("abalone", "loan")):
    parts = [benchmark_runs.made_up(tables, TAU_MEASURES, model="default", tau=one) for one in taus]
    absent = dict.fromkeys(("domias_prior_auc", "domias_kde_auc", "synthcity"))
    return noisy(pd.concat(parts, ignore_index=True), TAU_MEASURES).assign(**absent)


def made_up_files():
    q3 = ["bias", "coverage", "width", "bias_fixed", "coverage_fixed", "width_fixed", "crps"]
    interval = {"model": "default", "level": 50, "epochs": 3.0}
    columns = [
        benchmark_runs.made_up(["abalone"], ["claimed", "covered"], column=name, **interval)
        for name in ("x", "y")
    ]
    return {
        "q1": pd.concat([q1(), q1(model="baseline", seed=1)], ignore_index=True),
        "peers": peers("ctgan", "arf", ODD),
        "tau": tau(),
        "q2": benchmark_runs.made_up(["abalone"], ["smape", "f1"], mechanism="MAR"),
        "q3": benchmark_runs.made_up(["loan"], q3, mechanism="MCAR", m=9, n_rows=99, impute_s=1.0),
        "calibration": noisy(pd.concat(columns, ignore_index=True), ["claimed", "covered"]),
    }


def render(folder, **files):
    folder.mkdir(exist_ok=True)
    for name, runs in files.items():
        runs.to_csv(folder / f"{name}.csv", index=False)
    return page.render(folder)


@pytest.fixture(scope="module")
def files():
    return made_up_files()


@pytest.fixture(scope="module")
def text(files, tmp_path_factory):
    """The page of all files."""
    return render(tmp_path_factory.mktemp("results"), **files)


@pytest.fixture(scope="module")
def shown(text):
    return Page(text)


@pytest.fixture
def unplotted(monkeypatch):
    """Leave out the plots, which take most of the time."""
    for name in ("bars", "scatter", "trade_off"):
        monkeypatch.setattr(page_plots, name, lambda *arguments: "")


def test_the_page_is_whole_in_itself(text, shown):
    assert text.startswith("<!doctype html>")
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in shown.tags}
    links = [attrs.get("src") or attrs.get("href") for _, attrs in shown.tags]
    images = [link for link in links if link]
    assert len(images) == text.count("<img") >= 15
    for image in images:
        head, data = image.split(",")
        assert head == "data:image/svg+xml;base64"
        svg = ElementTree.fromstring(base64.b64decode(data))
        for element in svg.iter():
            for name, value in element.attrib.items():
                assert not name.endswith("href") or value.startswith("#")
                assert "url(" not in value or "url(#" in value
    assert not re.search(r"url\(|@import", text)


def test_every_image_says_what_it_shows(shown):
    alts = [attrs["alt"] for tag, attrs in shown.tags if tag == "img"]
    assert all(alts)
    assert len(set(alts)) == len(alts)


def test_equal_results_give_equal_pages(files, tmp_path):
    assert render(tmp_path, tau=files["tau"]) == page.render(tmp_path)


def test_every_model_is_in_the_ranking(shown):
    rankings = [rows for (part, _), rows in shown.tables.items() if part == "Ranking"]
    named_there = {row[0] for rows in rankings for row in rows[1:]}
    paper = pd.read_csv(page_figures._PUBLISHED, comment="#")["model"].unique()
    here = {"macode", "baseline", "ctgan", "arf", ODD}
    assert named_there == here | {f"published {model}" for model in paper}
    ranks = [float(row[1]) for row in rankings[0][1:] if row[1] != "not ranked"]
    assert ranks == sorted(ranks)
    assert len(ranks) == len(rankings[0]) - 3  # without the header, the baseline and the published one


def test_the_numbers_are_those_of_the_files(shown, files):
    runs = pd.concat(
        [files["q1"].replace("default", "macode"), files["peers"].assign(model=files["peers"]["peer"])]
    )
    for table in ("abalone", "loan"):
        header, *rows = shown.tables["Table by table", table]
        assert header == ["Model", *(title for title, _ in MEASURES.values())]
        by_model = {row[0]: row[1:] for row in rows}
        for model in ("macode", "baseline", "ctgan", "arf", ODD):
            of = runs[(runs["model"] == model) & (runs["table"] == table)]
            expected = [f"{of[m].mean():.3f} ± {of[m].sem():.3f} (3)" for m in MEASURES]
            assert by_model[model] == expected
        paper = pd.read_csv(page_figures._PUBLISHED, comment="#").set_index(["table", "model"])
        printed = paper.loc[(table, "TabMT")]
        assert by_model["published TabMT"][0] == f"{printed['kl']:.3f} ± {printed['kl_se']:.3f} (10)"
        assert by_model["published TabMT"][-2:] == ["n/a", "n/a"]


def test_means_over_tables_and_their_bars_are_those_of_the_files(shown, files):
    mean = files["peers"].query("peer == 'ctgan'").groupby("table")["smape"].mean().mean()
    first = next(rows for (part, _), rows in shown.tables.items() if part == "Ranking")
    (row,) = [row for row in first if row[0] == "ctgan"]
    assert row[1 + first[0].index("SMAPE") - 1] == f"{mean:.3f}"
    (alt,) = [a["alt"] for tag, a in shown.tags if tag == "img" and a["alt"].startswith("SMAPE, lower")]
    assert f"ctgan {mean:.3f}" in alt


def test_seconds_and_fronts_are_those_of_the_files(shown, files):
    (rows,) = [rows for (part, _), rows in shown.tables.items() if part == "Quality against seconds"]
    means = files["peers"].groupby("peer").mean(numeric_only=True)
    assert [row[:2] for row in rows[1:]] == [["ctgan", "1.0"], ["arf", "10.0"], [ODD, "100.0"]]
    for row in rows[1:]:
        assert row[4] == f"{means.loc[row[0], 'f1']:.3f}"
    best = means["f1"].round(3).idxmax()
    assert "F1" in {row[0]: row[5] for row in rows}[best]
    assert rows[1][5] == "Detector AUC, SMAPE, F1"  # none is quicker
    alts = [attrs["alt"] for tag, attrs in shown.tags if tag == "img"]
    for title in ("Detector AUC", "SMAPE", "F1"):
        (alt,) = [alt for alt in alts if alt.startswith(f"{title} against seconds")]
        on_front = [row[0] for row in rows[1:] if title in row[5]]
        assert alt.endswith(f"On the front: {', '.join(on_front)}")


def test_temperatures_are_means_of_the_tables_that_have_all(unplotted, tmp_path):
    runs = tau(taus=(1, 2, 6))
    part = runs.drop(runs.index[(runs["table"] == "loan") & (runs["tau"] == 6)])
    text = render(tmp_path, tau=part)
    (rows,) = [rows for (_, label), rows in Page(text).tables.items() if label.endswith("temperature")]
    assert [row[0] for row in rows] == ["tau", "1", "2", "6", *(f"{k}, published" for k in range(1, 6))]
    whole = runs[runs["table"] == "abalone"].groupby("tau")["f1"].mean()
    column = rows[0].index("F1")
    assert [row[column] for row in rows[1:5]] == [*(f"{f1:.3f}" for f1 in whole), "0.635"]


def test_what_a_seed_has_several_of_is_averaged_first(shown, files):
    rows = shown.tables["Calibration of conditional intervals", "abalone"]
    by_seed = files["calibration"].groupby("seed")["covered"].mean()
    assert rows[0] == ["Model", "Level, %", "Claimed", "Covered"]
    assert rows[1][:2] == ["macode (3 epochs)", "50"]
    assert rows[1][3] == f"{by_seed.mean():.3f} ± {by_seed.sem():.3f} (3)"


@pytest.mark.parametrize("name", HEADINGS)
def test_what_has_no_file_has_no_part(name, files, unplotted, tmp_path):
    alone = Page(render(tmp_path, **{name: files[name]}))
    assert alone.headings == ["Summary", *HEADINGS[name]]
    assert any(f"python -m benchmarks.{name} " in text for text in alone.texts)


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=rf"q1.csv.*{tmp_path.name}"):
        page.render(tmp_path)


def test_text_is_escaped(text, shown, tmp_path, files):
    assert ODD not in text
    assert ODD in {row[0] for rows in shown.tables.values() for row in rows}
    strange = Page(render(tmp_path, q2=files["q2"].assign(table=ODD)))
    assert strange.tables["Incomplete training tables", ODD][1][1] == "MAR"
    assert ODD in strange.texts
    assert "b" not in [tag for tag, _ in strange.tags]


def test_every_part_says_where_it_comes_from(text, files):
    seen = dict(re.findall(r"<section><h2>(.+?)</h2>(.+?)</section>", text, re.S))
    del seen["Summary"]
    assert set(seen) == {heading for headings in HEADINGS.values() for heading in headings}
    for heading, body in seen.items():
        sources = [name for name, headings in HEADINGS.items() if heading in headings]
        for name in sources:
            assert f"python -m benchmarks.{name} --data-dir DIR --tables " in body
        assert "2 CPU cores; 2030-01-01; macode-plugin 1.0, torch 1.0" in body
        assert re.search(r"Run here: [12] tables?, 3 seeds for each model and table\.", body)


def test_origins_are_those_of_the_markdown():
    told = "2 CPU cores; today; torch 1."
    markdown = (
        f"# a\n\n| x |\n\n**one**: {told}\n\n```\nfirst\nsecond <x>\n```\n\n{told}\n\n```\nthird\n```"
    )
    found = Page(page_html.origins(markdown))
    assert [text.strip() for text in found.texts if text.strip()] == [
        *("Versions, dates and commands", f"one: {told}", "first\nsecond <x>", told, "third")
    ]


def test_the_command_line_writes_the_page(tmp_path, files):
    render(tmp_path, q3=files["q3"])
    benchmark_runs.call(page.main, f"--results {tmp_path} -o {tmp_path / 'new.html'}")
    assert (tmp_path / "new.html").read_text(encoding="utf-8") == page.render(tmp_path)


def table_of(**models):
    """Return figures of two tables: kl and detector_auc of each model, a pair for each table."""
    rows = [
        {"model": model, "table": table, "seed": 0, "kl": kl, "detector_auc": auc}
        for model, of_tables in models.items()
        for table, (kl, auc) in zip(("one", "two"), of_tables)
    ]
    return measured(pd.DataFrame(rows), ["kl", "detector_auc"])


def test_ranks_are_means_over_tables_and_measures():
    figures = table_of(
        first=[(0.1, 0.5), (0.1, 0.6)],
        second=[(0.2, 0.45), (0.3, 0.4)],
        third=[(0.3, 0.55), (0.2, 0.9)],
        baseline=[(0.0, 0.5), (0.0, 0.5)],
    )
    (field,) = fields(figures)
    assert field.tables == ("one", "two")
    assert field.counted == ["kl", "detector_auc"]
    # kl: 1, 2, 3 and 1, 3, 2. AUC: 1, 2.5, 2.5 (.05 from .5 both) and 1.5, 1.5, 3.
    assert field.rank.to_dict() == {
        "first": (1 + 1 + 1 + 1.5) / 4,
        "second": (2 + 3 + 2.5 + 1.5) / 4,
        "third": (3 + 2 + 2.5 + 3) / 4,
    }
    assert list(field.mean.index) == ["first", "second", "third", "baseline"]
    assert field.mean.loc["second", "kl"] == pytest.approx(0.25)


def test_figures_alike_in_print_share_a_rank():
    (field,) = fields(table_of(a=[(0.0104, 0.5)], b=[(0.0096, 0.5)], c=[(0.0116, 0.5)]))
    assert field.rank.to_dict() == {"a": (1.5 + 2) / 2, "b": (1.5 + 2) / 2, "c": (3 + 2) / 2}


def test_models_are_ranked_on_the_same_tables_alone():
    figures = table_of(
        **{
            "here": [(0.1, 0.5), (0.9, 0.5)],
            "there": [(0.2, 0.5)],
            "published X": [(0.3, np.nan), (0.3, np.nan)],
            "baseline": [(0.0, 0.5)],
        }
    )
    assert [(field.tables, list(field.rank.index), field.counted) for field in fields(figures)] == [
        (("one",), ["here", "there", "published X"], ["kl"]),
        (("one", "two"), ["here", "published X"], ["kl"]),
        (("one",), ["here", "there"], ["kl", "detector_auc"]),
    ]
    narrow, wide, _ = fields(figures)
    assert narrow.mean.loc["here", "kl"] == 0.1
    assert wide.mean.loc["here", "kl"] == 0.5
    # The baseline lacks the second table.
    assert (narrow.seeds["baseline"], wide.seeds["baseline"]) == ("1", "")
    assert np.isnan(wide.mean.loc["baseline", "kl"])


def test_errors_over_tables_are_of_independent_seeds():
    runs = pd.DataFrame(
        {
            **{"model": "a", "table": ["one"] * 4 + ["two"] * 2, "seed": [0, 1, 2, 3, 0, 1]},
            "kl": [1.0, 2.0, 3.0, 4.0, 5.0, 9.0],
        }
    )
    (field,) = fields(measured(runs, ["kl"]))
    sem = [np.std([1, 2, 3, 4], ddof=1) / 2, np.std([5, 9], ddof=1) / np.sqrt(2)]
    assert field.error.loc["a", "kl"] == pytest.approx(np.hypot(*sem) / 2)
    assert field.seeds["a"] == "2-4"
    (single,) = fields(measured(runs.drop(index=5), ["kl"]))
    assert np.isnan(single.error.loc["a", "kl"])


def test_cuts_are_part_of_the_name():
    runs = benchmark_runs.made_up(["abalone"], ["kl"], model="paper", epochs=5.0, max_rows=99.0)
    assert named(runs)[["model", "table"]].drop_duplicates().to_numpy().tolist() == [
        ["macode-paper (5 epochs)", "abalone (99 rows)"]
    ]


def test_a_run_in_two_files_counts_once(unplotted, tmp_path):
    mine = q1(tables=["abalone"])
    again = peers("macode", tables=["abalone"])
    again["seed"] += 1
    rows = Page(render(tmp_path, q1=mine, peers=again)).tables["Table by table", "abalone"]
    (cell,) = [row[1] for row in rows if row[0] == "macode"]
    values = [*mine["kl"], again["kl"].iloc[-1]]
    assert cell == f"{np.mean(values):.3f} ± {pd.Series(values).sem():.3f} (4)"


def test_the_front_holds_what_nothing_beats():
    # Slow and good, quick and poor, between; beaten by the third; equal points; slower but as good.
    seconds = [100, 1, 10, 20, 10, 101, np.nan]
    losses = [0.1, 0.9, 0.3, 0.4, 0.3, 0.1, 0.0]
    assert pareto_front(seconds, losses) == [True, True, True, False, True, False, False]
    assert pareto_front([], []) == []


@pytest.mark.parametrize(
    ("measure", "means"),
    [("kl", [0, 0, 0]), ("wd", [1, 1, 262]), ("model_selection", [-0.2, -0.1, -0.3])],
)
def test_bars_of_any_size_can_be_drawn(measure, means):
    index = pd.Index(["macode", "ctgan", "published TabDDPM"])
    means = pd.Series(means, index, dtype=float)
    errors = (means.abs() / 10).where(index != "ctgan")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = page_plots.bars(means, errors, measure)
    (image,) = re.findall(r'base64,([^"]+)"', drawn)
    svg = base64.b64decode(image).decode()
    assert all(f"{mean:.3f}".lstrip("-") in svg for mean in means)
    assert ("▸" in svg) == (measure == "wd")  # one far off does not flatten the others
