"""The report's part on the project's aims."""

import numpy as np
import pandas as pd
import pytest
from benchmark_runs import MEASURES, lines_of, made_up, write_report

from benchmarks import report_targets
from benchmarks.data import NAMES


def q1(tables=NAMES, **columns):
    return made_up(tables, MEASURES, **{"model": "default", "n_train": 1000, **columns})


def peers(tables=("breast",), **ratios):
    """Return runs of MaCoDE and of peers that take so many times its seconds of fitting."""
    runs = {"macode": 1.0, **ratios}
    parts = [
        made_up(tables, MEASURES, n_train=100, sample_s=ratio).assign(peer=peer, fit_s=10 * ratio)
        for peer, ratio in runs.items()
    ]
    return pd.concat(parts, ignore_index=True).drop(columns="model")


@pytest.mark.parametrize(
    ("measure", "title", "aim", "better"),
    [("kl", "KL", 0.004, -1), ("f1", "F1", 0.65, 1), ("detector_auc", "Detector AUC", 0.56, -1)],
)
def test_an_aim_for_the_mean_is_reached_from_its_figure_on(measure, title, aim, better):
    def told(figure):
        (line,) = lines_of(report_targets.write({"q1": q1(**{measure: figure})}), f"| {title} |")
        return line.split(" | ")[2:4]

    assert told(aim + better * 1e-3)[1] == "yes"
    assert told(aim - better * 1e-3) == [f"{aim - better * 1e-3:.4f}", "no"]


@pytest.mark.parametrize(
    "runs",
    [
        q1(NAMES[1:]),
        pd.concat([q1(NAMES[1:]), q1(NAMES[:1], max_rows=99.0)]),
        pd.concat([q1(NAMES[1:]), q1(NAMES[:1], epochs=3.0)]),
        pd.concat([q1(NAMES[1:]), q1(NAMES[:1], model="paper")]),
    ],
)
def test_a_mean_waits_for_whole_runs_of_the_default_on_all_tables(runs):
    (line,) = lines_of(report_targets.write({"q1": runs}), "| KL |")
    assert line.split(" | ")[2:4] == ["n/a", "n/a"]


def test_prediction_without_repeated_rows_is_told_where_all_tables_have_it():
    told = {"smape_unrepeated": 0.1, "f1_unrepeated": 0.7, "model_selection_unrepeated": 0.9}
    whole = q1(**told)
    sentence = "SMAPE 0.1000, F1 0.7000, Model selection 0.9000."
    assert sentence in report_targets.write({"q1": whole})
    part = whole[whole["table"] != NAMES[0]]
    assert "repeat" not in report_targets.write({"q1": pd.concat([part, q1(NAMES[:1])])})
    assert "repeat" not in report_targets.write({"q1": q1()})


def test_published_figures_stand_beside():
    (line,) = lines_of(report_targets.write({"q1": q1()}), "| SMAPE |")
    assert line.endswith("| 0.164 | 0.111 |")


def test_tables_are_sorted_by_whether_they_reach_an_aim():
    runs = pd.concat([q1(["loan"], nearest_record_share=0.5), q1(["letter"], nearest_record_share=0.6)])
    (line,) = lines_of(report_targets.write({"q1": runs}), "| nearest-record share")
    others = ", ".join(table for table in NAMES if table not in ("loan", "letter"))
    assert line.split(" | ")[1:] == ["loan (0.5)", "letter (0.6)", f"{others} |"]


def test_peers_are_held_against_macode_on_the_same_terms():
    def told(runs, start):
        (line,) = lines_of(report_targets.write({"q1": q1(), "peers": runs}), f"| {start}")
        reached, missed, absent = line.split(" | ")[1:]
        assert ("breast" in absent) == (reached == missed == "none")
        return [reached, missed]

    runs = peers(tabularargn=1.25, ctgan=0.5)
    assert told(runs, "fitting no longer than TabularARGN") == ["breast (0.8)", "none"]
    assert told(runs, "fitting no longer than CTGAN") == ["none", "breast (2)"]
    assert told(runs, "twice TabularARGN's rows") == ["none", "breast (1.25)"]
    (line,) = lines_of(report_targets.write({"q1": q1(), "peers": runs}), "| half of TabularARGN's")
    assert line.split(" | ")[1:] == ["none", "none", "all nine |"]
    assert told(peers(NAMES, tabularargn=4), "half of TabularARGN's") == ["all nine (0.25)", "none"]
    assert told(peers(authors=39), "fitting 40 times faster") == ["none", "breast (39)"]
    one_thread_more = runs.assign(threads=np.where(runs["peer"] == "ctgan", 2, 1))
    assert told(one_thread_more, "fitting no longer than CTGAN") == ["none", "none"]
    faster = pd.concat([runs, peers(tabularargn=2).assign(threads=2)])
    assert told(faster, "fitting no longer than TabularARGN, 2 threads") == ["breast (0.5)", "none"]
    assert told(faster, "fitting no longer than CTGAN, 1 thread:") == ["none", "breast (2)"]
    alone = runs[runs["peer"] != "macode"]
    assert "TabularARGN" not in report_targets.write({"q1": q1(), "peers": alone})


def test_membership_is_held_against_large_tables_at_the_learned_temperature():
    columns = {"model": "default", "n_train": 1000, "tau": 1, "membership_auc": 0.5}
    runs = [
        made_up(["loan"], ["domias_prior_auc"], **columns),
        made_up(["loan"], ["domias_prior_auc"], **{**columns, "tau": 5, "membership_auc": 1.0}),
        made_up(["breast"], ["domias_prior_auc"], **{**columns, "n_train": 999}),
    ]
    sizes = pd.concat([q1(["loan", "kings"]), q1(["breast"], n_train=999)])
    text = report_targets.write({"q1": sizes, "tau": pd.concat(runs)})
    (line,) = lines_of(text, "| membership AUC of the nearest neighbour")
    assert line.split(" | ")[1:] == ["loan (0.5)", "none", "kings |"]


def test_the_report_begins_with_the_aims(tmp_path):
    text = write_report(tmp_path, q1=q1().assign(n_train=99, n_columns=5, sample_s=1.0))
    parts = [line for line in text.splitlines() if line.startswith("## ")]
    assert parts == [
        "## Aims, and where they stand",
        "## Quality of complete data (question 1 of the paper)",
    ]
    links = lines_of(text, "- [")
    assert links == [
        "- [Aims, and where they stand](#aims-and-where-they-stand)",
        "- [Quality of complete data (question 1 of the paper)]"
        "(#quality-of-complete-data-question-1-of-the-paper)",
    ]
