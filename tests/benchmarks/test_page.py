"""The page of results: what it shows of the files, and that it is whole in itself."""

import base64
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import benchmark_runs
import numpy as np
import pandas as pd
import pytest
from results_pages import ODD, Page, made_up_files, peers, q1, render, tau

from benchmarks import page, page_html, page_plots, paper
from benchmarks.measures import MEASURES

ROOT = Path(page.__file__).parents[1]

HEADINGS = {
    "q1": ["Ranking", "Measures", "Table by table"],
    "peers": ["Ranking", "Measures", "Table by table", "Quality against seconds"],
    "tau": ["Privacy and quality by temperature"],
    "q2": ["Incomplete training tables"],
    "q3": ["Multiple imputation"],
    "calibration": ["Calibration of conditional intervals"],
}


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
    printed = paper.read("q1_quality")["model"].unique()
    here = {"macode", "baseline", "ctgan", "arf", ODD}
    assert named_there == here | {f"published {model}" for model in printed}
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
        published = paper.read("q1_quality").set_index(["table", "model"])
        printed = published.loc[(table, "TabMT")]
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


def test_means_by_temperature_are_those_of_the_papers_tables(unplotted, tmp_path):
    def means(*tables):
        drawn = runs[runs["table"].isin(tables)]
        found = Page(render(tmp_path, tau=drawn)).tables.items()
        (rows,) = [rows for (_, label), rows in found if label.endswith("temperature")]
        return rows[1]

    runs = tau(tables=("abalone", "sklearn:wine"))
    assert means("abalone", "sklearn:wine") == means("abalone") != means("sklearn:wine")


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


def test_a_run_in_two_files_counts_once(unplotted, tmp_path):
    mine = q1(tables=["abalone"])
    again = peers("macode", tables=["abalone"])
    again["seed"] += 1
    rows = Page(render(tmp_path, q1=mine, peers=again)).tables["Table by table", "abalone"]
    (cell,) = [row[1] for row in rows if row[0] == "macode"]
    values = [*mine["kl"], again["kl"].iloc[-1]]
    assert cell == f"{np.mean(values):.3f} ± {pd.Series(values).sem():.3f} (4)"


def test_showing_results_needs_nothing_that_only_measuring_does():
    without = "import sys; sys.modules['geomloss'] = None; import benchmarks.page"
    done = subprocess.run([sys.executable, "-c", without], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
