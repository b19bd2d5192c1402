"""Quality figures: laws, hard columns, tiny tables, errors; and the report drawn from them."""

import base64
import datetime
import decimal
import json
import math
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from macode_plugin.coding import code_alike
from macode_plugin.evaluation import associations, evaluate, marginal_distances
from macode_plugin.files import read_table, write_table
from macode_plugin.report import _edges, quality_rows, render_report, text_table


def mixed(n, seed=0, shift=0.0):
    """A frame with a column of every kind, missing cells, and dependence."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "x": x + shift,
            "y": x + rng.normal(size=n),
            "whole": pd.array(rng.integers(0, 50, n), dtype="Int64"),
            "flag": x + rng.normal(size=n) > 0,
            "kind": rng.choice(["a", "b", "c"], n, p=[0.6, 0.3, 0.1]),
            "size": pd.Categorical(
                np.where(x > 0, "large", "small"), categories=["small", "large"], ordered=True
            ),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, n), unit="D"),
            "wait": pd.to_timedelta(rng.integers(0, 5000, n), unit="s"),
        }
    )
    frame.loc[rng.random(n) < 0.2, ["y", "day"]] = None
    frame.loc[rng.random(n) < 0.2, "kind"] = None
    return frame


def test_two_halves_of_one_table_are_alike():
    quality = evaluate(mixed(400, seed=1), mixed(400, seed=2), target="flag")
    assert quality.marginal_distance < 0.1
    assert quality.association_difference < 0.1
    assert abs(quality.detector_auc - 0.5) < 0.08
    assert quality.target_score.metric == "ROC AUC"
    assert abs(quality.target_score.synthetic - quality.target_score.real) < 0.15


def test_shifted_table_gives_itself_away():
    quality = evaluate(mixed(300, seed=1), mixed(300, seed=2, shift=6.0))
    assert quality.detector_auc > 0.97
    assert quality.marginal_distance > 0.1


def test_broken_dependence_is_seen():
    real = mixed(300, seed=1)
    shuffled = real.assign(x=real["x"].sample(frac=1, random_state=0).to_numpy())
    quality = evaluate(real, shuffled)
    assert quality.marginal_distance == 0
    assert quality.association_difference > 0.05


def test_missing_cells_set_tables_apart():
    real = mixed(300, seed=1)
    full = real.assign(kind=real["kind"].fillna("a"), y=real["y"].fillna(0.0))
    distances = pd.Series(marginal_distances(code_alike(real, full)), real.columns)
    assert distances["kind"] == pytest.approx(real["kind"].isna().mean())
    assert distances["y"] >= real["y"].isna().mean()
    assert distances.drop(["kind", "y"]).eq(0).all()


def test_distances_agree_with_hand_counts():
    real = pd.DataFrame({"n": [1, 2, 3, 4], "k": ["a", "a", "b", "b"]})
    other = pd.DataFrame({"n": [1, 2, 9, 9], "k": ["a", "b", "b", "c"]})
    assert marginal_distances(code_alike(real, other)).tolist() == [0.5, 0.25]


def test_associations_are_spearman():
    table = np.array([[1.0, 10.0, 1.0], [2.0, 100.0, 1.0], [3.0, 1000.0, 1.0], [np.nan, 0.0, 1.0]])
    matrix = associations(table)
    assert matrix[0, 1] == pytest.approx(1.0)
    assert np.isnan(matrix[0, 2])


@pytest.mark.parametrize("start", [2**62, -(2**62) - 7])
def test_whole_numbers_that_no_float_holds_are_told_apart(start):
    real = pd.DataFrame({"id": start + np.arange(100)})
    other = pd.DataFrame({"id": start + np.arange(50).repeat(2)})
    far = pd.DataFrame({"id": start - 200 + np.arange(100)})
    assert marginal_distances(code_alike(real, real)).tolist() == [0.0]
    assert marginal_distances(code_alike(real, other)).tolist() == pytest.approx([0.5])
    assert marginal_distances(code_alike(real, far)).tolist() == [1.0]
    holed = code_alike(real, other.astype("Int64").mask(other["id"] > start + 40), real.assign(id=pd.NA))
    assert np.isnan(holed.tables[1]).sum() == 18
    assert np.isnan(holed.tables[2]).all()
    assert [np.nanmax(table) for table in holed.tables[:2]] == [99, 40]


def test_ordinary_numbers_are_coded_as_they_are():
    frame = pd.DataFrame({"x": [-3, 2**53], "t": pd.to_datetime([0, 10**12], unit="ns")})
    assert code_alike(frame, frame).tables[0].tolist() == [
        [-3, 0],
        [2**53, frame["t"].astype("int64")[1]],
    ]


def test_declared_order_is_kept_and_columns_may_be_reordered():
    real = mixed(50)
    coded = code_alike(real, real[real.columns[::-1]])
    assert coded.categories[list(real).index("size")] == ["small", "large"]
    np.testing.assert_array_equal(*coded.tables)


def test_frames_are_not_modified():
    real, synthetic = mixed(60, seed=1), mixed(60, seed=2)
    before = real.copy(), synthetic.copy()
    evaluate(real, synthetic, target="kind")
    pd.testing.assert_frame_equal(real, before[0])
    pd.testing.assert_frame_equal(synthetic, before[1])


def test_one_value_in_other_clothes_is_one_value():
    real = pd.DataFrame(
        {
            "code": ["1", "2", "2"],
            "day": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-02"]).astype("datetime64[ns]"),
            "n": [1, 2, 2],
        }
    )
    same = pd.DataFrame(
        {
            "code": [1.0, 2.0, 2.0],
            "day": real["day"].astype("datetime64[s]"),
            "n": pd.array([1, 2, 2], dtype="Float64"),
        }
    )
    assert evaluate(real, same).marginal_distance == 0


def arrow(values, arrow_type):
    return pd.array(values, dtype=pd.ArrowDtype(arrow_type))


TIMES = {
    "durations": pd.to_timedelta([None, "5min", "1 days", "0.5s"]),
    "whole days": pd.to_timedelta(["5 days", None, "1 days"]),
    "periods": pd.PeriodIndex(["2024-02", None, "2024-05"], freq="M"),
    "dates": arrow([datetime.date(2024, 2, 1), None, datetime.date(2024, 3, 1)], pa.date32()),
    "times of day": arrow([datetime.time(10), None, datetime.time(9, 30, 0, 5)], pa.time64("us")),
    "decimals": arrow([decimal.Decimal("0.20"), None, decimal.Decimal("9.99")], pa.decimal128(8, 2)),
    "zoned": pd.to_datetime(["2024-02-01 10:00", None, "2024-07-01 00:30"]).tz_localize("Europe/Berlin"),
}


@pytest.mark.parametrize("kind", TIMES)
def test_a_table_is_like_its_own_csv_file(kind, tmp_path):
    frame = pd.DataFrame({"x": TIMES[kind], "i": range(len(TIMES[kind]))})
    write_table(frame, tmp_path / "t.csv")
    read = read_table(tmp_path / "t.csv")
    for tables in ((frame, read), (frame, frame)):
        first, second = code_alike(*tables).tables
        np.testing.assert_array_equal(first, second)
        assert np.isnan(first[:, 0]).sum() == 1
    assert code_alike(frame, read).categories[0] is None


def test_decimals_of_two_scales_compare():
    real = pd.DataFrame(
        {"x": arrow([decimal.Decimal("0.2"), decimal.Decimal("3.5")], pa.decimal128(5, 1))}
    )
    same = pd.DataFrame(
        {"x": arrow([decimal.Decimal("0.2"), decimal.Decimal("3.5")], pa.decimal128(9, 4))}
    )
    assert evaluate(real, same).marginal_distance == 0
    assert evaluate(real, real.astype("float64")).marginal_distance == 0
    assert evaluate(real.astype("float64"), same).marginal_distance == 0
    assert evaluate(real, real.astype(object)).marginal_distance == 0
    with pytest.raises(ValueError, match=r"'x' holds decimals .* no numbers: .*'high'"):
        evaluate(real, pd.DataFrame({"x": ["0.2", "high"]}))


@pytest.mark.parametrize(
    ("column", "cells", "named"),
    [
        ("wait", ["5 min", "soon"], "'soon'"),
        ("wait", ["5"] * 2, "'5'"),
        ("x", ["1.5", "high"], "'high'"),
    ],
)
def test_text_that_cannot_be_compared_is_named(column, cells, named):
    frame = mixed(20)
    other = frame.assign(**{column: np.resize(np.array(cells, dtype=object), 20)})
    with pytest.raises(ValueError, match=rf"'{column}' holds .* such as {named}; .*--text {column}"):
        evaluate(frame, other)


@pytest.mark.parametrize("target", list(mixed(1)))
def test_every_kind_of_target_has_a_score(target):
    real, synthetic = mixed(120, seed=1), mixed(120, seed=2)
    score = evaluate(real, synthetic, target=target).target_score
    assert score.metric == {"kind": "accuracy", "flag": "ROC AUC", "size": "ROC AUC"}.get(target, "R2")
    assert np.isfinite([score.synthetic, score.real]).all()


def test_few_numbers_are_classes():
    real = mixed(100).assign(grade=np.arange(100) % 3)
    assert evaluate(real, real, target="grade").target_score.metric == "accuracy"


def test_target_score_uses_the_test_rows_given():
    x = np.arange(100.0)
    real = pd.DataFrame({"x": x, "high": x > 50})
    backwards = pd.DataFrame({"x": x, "high": x <= 50})
    assert evaluate(real, real, target="high", test=real).target_score.real == 1
    assert evaluate(real, backwards, target="high", test=real).target_score.synthetic == 0
    assert evaluate(real, real, target="high", test=backwards).target_score.real == 0


def test_category_that_synthetic_rows_lack():
    x = np.arange(100.0)
    real = pd.DataFrame({"x": x, "k": np.where(x > 50, "b", "a")})
    fake = pd.DataFrame({"x": x, "k": np.where(x > 50, "c", "a")})
    score = evaluate(real, fake, target="k", test=real).target_score
    assert score.synthetic == 0.5
    assert score.real == 1


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 30), (4, 4), (6, 5)])
def test_tiny_tables_do_not_crash(n, m):
    quality = evaluate(mixed(n, seed=1), mixed(m, seed=2), target="flag")
    assert 0 <= quality.marginal_distance <= 1
    assert math.isnan(quality.detector_auc) == (min(n, m) < 5)


def test_columns_without_values_or_variation():
    frame = pd.DataFrame({"none": np.nan, "const": 7.0, "text": None, "x": np.arange(30.0)})
    frame["once"] = [1.0, *[np.nan] * 29]
    quality = evaluate(frame, frame, target="x")
    assert quality.marginal_distance == 0
    assert math.isnan(evaluate(frame, frame, target="const").target_score.real)
    assert np.isfinite(evaluate(frame.sample(20, random_state=0), frame).detector_auc)


def test_json_has_no_nan():
    quality = evaluate(mixed(1), mixed(1, seed=1), target="flag")
    read = json.loads(json.dumps(quality.to_json(), allow_nan=False))
    assert read["detector_auc"] is None
    assert read["target_score"]["real"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="kind"), "column 'kind' is absent from the synthetic table"),
        (lambda f: f.assign(extra=1), "column 'extra' is absent from the real table"),
        (lambda f: f.assign(x="word"), "column 'x' holds float64 values in the real table"),
        (lambda f: f.assign(day=1.5), "column 'day' holds datetime64"),
        (lambda f: f.assign(x=f["day"]), "column 'x' holds float64 values"),
        (lambda f: f.assign(day=f["day"].dt.tz_localize("UTC")), "column 'day' holds datetime64"),
        (lambda f: f.assign(x=np.inf), "column 'x' holds infinity"),
        (lambda f: f.iloc[:0], "without rows"),
        (lambda f: pd.concat([f, f[["x"]]], axis=1), "column 'x' occurs more than once"),
    ],
)
def test_errors_name_the_column(change, message):
    frame = mixed(20)
    with pytest.raises(ValueError, match=message):
        evaluate(frame, change(frame))


def test_a_class_that_training_lacks_does_not_spoil_the_score():
    real = mixed(400, seed=1)
    whole = evaluate(real, real, target="flag", test=real).target_score
    test = real.assign(flag=real["flag"].astype(object))
    test.loc[0, "flag"] = "maybe"
    train = real.assign(flag=real["flag"].astype(object))
    found = evaluate(train, train, target="flag", test=test).target_score
    assert whole.real > 0.9
    assert found.metric == "accuracy"
    assert found.real > 0.7


def test_target_errors():
    frame = mixed(20)
    with pytest.raises(ValueError, match=r"the target 'nope' is not a column; columns: 'x'"):
        evaluate(frame, frame, target="nope")
    with pytest.raises(ValueError, match="the target 'x' is the only column"):
        evaluate(frame[["x"]], frame[["x"]], target="x")


def test_text_table_aligns():
    assert text_table([["", "value"], ["long name", "1"]]) == "           value\nlong name      1"


def test_quality_rows_leave_an_empty_column_out():
    quality = evaluate(mixed(20), mixed(20, seed=1))
    assert quality_rows(quality)[0] == ["", "synthetic", "ideal"]
    assert quality_rows(quality, quality)[0] == ["", "synthetic", "real", "ideal"]


HISTORY = [
    {"epoch": i, "train_nll": 9.0 / i, "validation_nll": math.nan, "lr": 1e-3, "seconds": 1.0}
    for i in (1, 2)
]


def page_of(real, synthetic, history=HISTORY):
    rows = quality_rows(evaluate(real, synthetic))
    return render_report(
        "A <table>", {"rows & columns": "1 < 2"}, rows, "a note", real, synthetic, history
    )


def images_of(page):
    found = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="([^"]+)">', page)
    return [(base64.b64decode(data).decode(), alt) for data, alt in found]


def test_report_has_an_image_for_every_plot_and_nothing_from_elsewhere():
    real, synthetic = mixed(80, seed=1), mixed(80, seed=2)
    page = page_of(real, synthetic)
    images = images_of(page)
    assert page.count("<img") == len(images) == len(real.columns) + 3 + 1
    assert len({alt for _, alt in images}) == len(images)
    assert "http://" not in page
    assert "https://" not in page
    for svg, _ in images:
        assert not re.search(r'(href|src)="(?!#|data:)', svg)
        assert "@import" not in svg


def test_report_is_the_same_for_the_same_tables():
    assert page_of(mixed(30), mixed(30, seed=1)) == page_of(mixed(30), mixed(30, seed=1))


def test_report_escapes_names_and_reads_no_formulas():
    odd = '<i>$\\frac{1$"x"'
    real = mixed(30).rename(columns={"kind": odd})
    page = page_of(real, real)
    assert "<i>$" not in page.replace('<i class="', "")
    assert "A &lt;table&gt;" in page
    assert "rows &amp; columns" in page
    assert any("&lt;i&gt;$" in alt for _, alt in images_of(page))


def test_report_of_many_columns_and_categories_says_what_it_leaves_out():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 50)), columns=[f"c{j}" for j in range(50)])
    frame.insert(0, "many", [f"category {i % 20}" for i in range(40)])
    page = page_of(frame, frame)
    assert "The first 32 of 51 columns." in page
    assert page.count("<img") == 32 + 3 + 1
    assert "13 others" in images_of(page)[0][0]


def test_report_shows_large_whole_numbers_and_times_as_they_are():
    times = pd.Timestamp("2024-05-01") + pd.to_timedelta(np.arange(60), unit="D")
    frame = pd.DataFrame({"id": 2**62 + np.arange(60), "at": times.astype("datetime64[ns]")})
    ids, days = (svg for svg, _ in images_of(page_of(frame, frame))[:2])
    assert "46116860184273" in ids
    assert "2024-05" in days


@pytest.mark.parametrize("value", [0.0, -3.5, 1.6e18])
def test_bins_of_a_constant_have_a_width(value):
    edges = _edges(np.full(9, value))
    assert (np.diff(edges) > 0).all()
    assert edges[0] < value < edges[-1]


def test_training_curve_marks_the_best_epoch():
    def curve(*validation):
        history = [{**HISTORY[0], "epoch": i, "validation_nll": v} for i, v in enumerate(validation)]
        return images_of(page_of(mixed(20), mixed(20, seed=1), history))[-1][0]

    assert "best epoch" in curve(3.0, 1.0, 2.0)
    assert "best epoch" not in curve(math.nan, math.nan)


def test_report_of_one_row_and_empty_columns():
    frame = mixed(1).assign(none=np.nan, text=None)
    page = page_of(frame, frame, HISTORY[:1])
    assert sum("no values" in svg for svg, _ in images_of(page)) >= 2
    assert "undefined" in page
