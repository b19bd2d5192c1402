"""What the page of results compares: ranks, means and errors, fronts; and bars of any size."""

import base64
import re
import warnings

import benchmark_runs
import numpy as np
import pandas as pd
import pytest

from benchmarks import page_plots
from benchmarks.page_figures import fields, measured, named, pareto_front


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


def test_the_broadest_comparison_of_models_run_here_comes_first():
    two, one = [(0.1, 0.5), (0.2, 0.5)], [(0.1, 0.5)]
    printed = {f"published {name}": [(0.3, np.nan)] * 2 for name in "XYZ"}
    found = fields(table_of(a=two, b=two, c=one, **printed))
    assert found[0].tables == ("one", "two")
    assert list(found[0].rank.index) == ["a", "b", *printed]
