"""Cost by size: made-up tables, exponents, the benchmark in miniature and its part of the report."""

import benchmark_runs
import numpy as np
import pandas as pd
import pytest

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import growth, made_up, report_scaling, scaling


def test_made_up_tables_have_the_sizes_asked_for():
    table = made_up.make(400, 7, 150, seed=0)
    assert table.frame.shape == (400, 7)
    assert list(table.frame) == table.continuous + table.categorical
    assert (len(table.continuous), len(table.categorical)) == (3, 4)
    assert table.frame["category 3"].nunique() == 150
    assert table.frame[table.categorical[:-1]].nunique().le(10).all()
    assert table.frame[table.continuous].nunique().eq(400).all()


def test_columns_of_a_made_up_table_depend_on_each_other():
    numbers = made_up.make(2000, 20, 10, seed=0).frame.filter(like="number")
    correlation = np.abs(np.corrcoef(numbers.rank().to_numpy(), rowvar=False))
    assert np.median(correlation[np.triu_indices(10, 1)]) > 0.2


def test_equal_seeds_make_equal_tables():
    first, again, other = (made_up.make(50, 4, 5, seed).frame for seed in (0, 0, 1))
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


@pytest.mark.parametrize("size", [(9, 4, 10), (50, 1, 5)])
def test_impossible_tables_are_refused(size):
    with pytest.raises(ValueError, match="at least as many as categories"):
        made_up.make(*size, seed=0)


def test_exponents_are_those_of_power_laws():
    points = pd.DataFrame({"size": [1, 10, 100, 1000], "cost": [2.0, 20.0, 200.0, 20_000.0]})
    found = growth.exponents(points, "cost")
    assert found["last"] == pytest.approx(2)
    assert found["all"] == pytest.approx(1.3)
    assert growth.exponents(points[:3], "cost")["all"] == pytest.approx(1)
    assert np.isnan(growth.exponents(points[:1], "cost")["all"])


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    path = tmp_path_factory.mktemp("scaling") / "scaling.csv"
    line = f"--axis columns --sizes 2,4 --epochs 1 --out {path} --plot {path.with_suffix('.svg')}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(scaling._BASE, "rows", 300)
        benchmark_runs.call(scaling.main, line)
    return path


def test_each_size_has_its_costs(results):
    rows = pd.read_csv(results)
    assert rows["size"].tolist() == [2, 4]
    assert (rows["n_rows"] == 300).all()
    assert (rows[list(growth.COSTS)] > 0).all(axis=None)
    assert (rows["peak_mib"] > 100).all()  # torch alone takes more


def test_every_axis_grows_what_it_says():
    grown = {axis: scaling.table_of(scaling.Point(axis, 60, 0, 1, 1)) for axis in ("rows", "columns")}
    assert grown["rows"].frame.shape == (60, 10)
    assert grown["columns"].frame.shape == (10_000, 60)
    many = scaling.table_of(scaling.Point("categories", 60, 0, 1, 1))
    assert many.frame.shape == (100_000, 10)
    assert many.frame[many.target].nunique() == 60


def test_costs_are_drawn(results):
    drawn = results.with_suffix(".svg").read_text(encoding="utf-8")
    for text in ("columns", "Fit s / epoch", "Memory MiB", "1 thread"):
        assert f"<!-- {text}" in drawn


def test_the_report_has_costs_exponents_and_the_call(results):
    rows = pd.read_csv(results)
    text = report_scaling.write(rows)
    for row in rows.to_dict("records"):
        told = f"{row['fit_s_per_epoch']:.2f} | {row['sample_s']:.2f} | {row['peak_mib']:.0f}"
        assert f"| columns | {row['size']} | 1 | {told} | 120 |" in text  # 600 steps, 5 each
    slope = growth.exponents(rows, "peak_mib")["all"]
    assert f"| {slope:.2f} / {slope:.2f} |" in text
    assert (
        "python -m benchmarks.scaling --axis columns --sizes 2,4 --seeds 0 --threads 1 --epochs 1"
        in text
    )
