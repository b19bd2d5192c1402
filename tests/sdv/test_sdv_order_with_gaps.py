"""SDV's constraints of order where ends are missing: gaps and what lies beside them are learned."""

import numpy as np
import pandas as pd
import pytest
from both_lines import describe, fit, from_conditions, make, remaining, sample
from sdv.cag import Inequality, Range, SingleTableProgrammableConstraint
from sdv.cag._errors import ConstraintNotMetError
from sdv.sampling import Condition

from macode_plugin.sdv_constraints import with_gaps

DAY = pd.Timedelta(1, "D")
RULES = {2: Inequality("a", "b"), 3: Range("a", "b", "c", strict_boundaries=False)}


def numbers(n, seed=0):
    rng = np.random.default_rng(seed)
    a = rng.normal(0, 10, n).round(2)
    b = (a + rng.exponential(5, n)).round(2)
    return pd.DataFrame({"a": a, "b": b, "c": (b + rng.exponential(3, n)).round(2)})


def dates(n, seed=0):
    rng = np.random.default_rng(seed)
    a = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    b = a + pd.to_timedelta(rng.integers(0, 30, n), unit="D")
    return pd.DataFrame({"a": a, "b": b, "c": b + pd.to_timedelta(rng.integers(0, 9, n), unit="D")})


KINDS = {
    "decimals": (numbers, "numerical"),
    "integers": (lambda n: (numbers(n) * 100).round().astype("Int64"), "numerical"),
    "dates": (dates, "datetime"),
    "written dates": (
        lambda n: dates(n).apply(lambda column: column.dt.strftime("%d/%m/%Y")),
        {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"},
    ),
}


def with_holes(frame, seed=1):
    rng = np.random.default_rng(seed)
    return frame.mask(rng.random(frame.shape) < 0.25)


def readable(frame, kind):
    if kind == "written dates":
        frame = frame.apply(lambda column: pd.to_datetime(column, format="%d/%m/%Y"))
    if "dates" in kind:
        return frame.apply(lambda column: (column - pd.Timestamp("2020-01-01")) / DAY)
    return frame.astype("float64")


def case(kind, n_columns, n=500):
    make_frame, sdtype = KINDS[kind]
    frame = with_holes(make_frame(n).iloc[:, :n_columns])
    constraint = with_gaps(RULES[n_columns])
    constraint.fit(frame, describe(dict.fromkeys(frame, sdtype)))
    return frame, constraint


@pytest.mark.parametrize("n_columns", RULES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_learned_tells_the_table(kind, n_columns):
    frame, constraint = case(kind, n_columns)
    kept = frame.copy()
    told = constraint.transform(frame)
    pd.testing.assert_frame_equal(frame, kept)
    assert not set(frame.columns[1:]) & set(told.columns)
    pd.testing.assert_frame_equal(constraint.reverse_transform(told), frame)
    assert constraint.is_valid(frame).all()


@pytest.mark.parametrize("n_columns", RULES)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_put_together_at_random_are_in_order(kind, n_columns):
    frame, constraint = case(kind, n_columns)
    told = constraint.transform(frame)
    rng = np.random.default_rng(3)
    mixed = told.apply(lambda column: column.iloc[rng.permutation(len(column))].reset_index(drop=True))
    rows = readable(constraint.reverse_transform(mixed), kind)
    real = readable(frame, kind)
    for i, low in enumerate(rows.columns):
        assert rows[low].min() >= real[low].min()
        for high in rows.columns[i + 1 :]:
            assert not (rows[low] > rows[high]).any()
            assert (rows[low] < rows[high]).mean() > 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_and_values_beside_them_are_as_in_the_data(kind):
    make_frame, sdtype = KINDS[kind]
    frame = with_holes(make_frame(800))
    constraint = [RULES[3]]
    synthesizer = fit(make(dict.fromkeys(frame, sdtype), constraints=constraint, epochs=12), frame)
    drawn = sample(synthesizer, 1500)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    real, rows = readable(frame, kind), readable(drawn, kind)
    assert (rows.isna().mean() - real.isna().mean()).abs().max() < 0.06
    for name in "bc":
        alone, own = rows.loc[rows["a"].isna(), name].dropna(), real.loc[real["a"].isna(), name].dropna()
        assert alone.std() == pytest.approx(own.std(), rel=0.25)
        assert alone.nunique() > 0.4 * own.nunique()


@pytest.mark.parametrize("kind", KINDS)
def test_known_rows_of_every_pattern(kind):
    make_frame, sdtype = KINDS[kind]
    frame = with_holes(make_frame(500))
    synthesizer = fit(make(dict.fromkeys(frame, sdtype), constraints=[RULES[3]], epochs=2), frame)
    assert len(frame.isna().drop_duplicates()) == 8
    pd.testing.assert_frame_equal(remaining(synthesizer, frame.head(80)), frame.head(80))
    for _, pattern in frame.groupby([frame[name].isna() for name in frame]):
        known = pattern.head(3)
        pd.testing.assert_frame_equal(remaining(synthesizer, known), known)
    for name in frame:
        drawn = from_conditions(synthesizer, [Condition({name: None}, num_rows=5)])
        assert drawn[name].isna().all()
        assert len(drawn) == 5


def test_one_known_pair_at_a_time():
    rng = np.random.default_rng(0)
    low = rng.normal(size=300)
    frame = pd.DataFrame({"a": low, "b": low + rng.exponential(1, 300)})
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[RULES[2]]), frame)
    for row in frame.head(20).to_dict("records"):
        drawn = from_conditions(synthesizer, [Condition(row, num_rows=3)], max_tries_per_batch=1)
        assert (drawn == pd.Series(row)).all(axis=None)


def test_single_precision_keeps_its_distances():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.random((300, 2)), columns=["a", "b"]).cumsum(axis=1).astype("float32")
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[RULES[2]], epochs=10), frame)
    drawn = sample(synthesizer, 400)
    assert (drawn.dtypes == "float32").all()
    assert (drawn["b"] - drawn["a"]).mean() == pytest.approx(0.5, abs=0.1)
    assert (drawn["b"] - drawn["a"]).nunique() > 200
    pd.testing.assert_frame_equal(remaining(synthesizer, frame.head(50)), frame.head(50))


def test_days_stay_days_when_the_clocks_change():
    frame = dates(400)[["a", "b"]].apply(lambda column: column.dt.tz_localize("Europe/Berlin"))
    synthesizer = fit(make(dict.fromkeys(frame, "datetime"), constraints=[RULES[2]]), frame)
    drawn = sample(synthesizer, 600)
    assert (drawn.dtypes == frame.dtypes).all()
    assert drawn.apply(lambda column: (column.dt.normalize() == column).all()).all()
    assert (drawn["a"] <= drawn["b"]).all()


def test_days_of_utc_stay_days_on_walls_elsewhere():
    frame = dates(400)[["a", "b"]].apply(
        lambda column: column.dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    )
    constraint = with_gaps(RULES[2])
    constraint.fit(frame, describe(dict.fromkeys(frame, "datetime")))
    told = constraint.transform(frame)
    told["a"] = np.random.default_rng(1).permutation(told["a"])
    rows = constraint.reverse_transform(told).apply(lambda column: column.dt.tz_convert("UTC"))
    assert (rows["b"].dt.normalize() == rows["b"]).all()


def test_several_orders_share_a_column():
    frame = with_holes(numbers(400))
    constraints = [Inequality("a", "b"), Inequality("a", "c"), Inequality("b", "c")]
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=constraints), frame)
    drawn = sample(synthesizer, 300)
    assert len(drawn) == 300
    for low, high in ("ab", "ac", "bc"):
        assert not (drawn[low] > drawn[high]).any()
        assert (drawn[low] <= drawn[high]).mean() > 0.3
    known = frame[["b"]].head(30)
    pd.testing.assert_frame_equal(remaining(synthesizer, known)[["b"]], known)


def test_hours_that_one_column_does_not_tell():
    begin = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(400) * 7, unit="h")
    frame = pd.DataFrame({"a": begin.strftime("%Y-%m-%d %H"), "b": begin.strftime("%Y-%m-%d")})
    columns = {
        name: {"sdtype": "datetime", "datetime_format": written}
        for name, written in (("a", "%Y-%m-%d %H"), ("b", "%Y-%m-%d"))
    }
    drawn = sample(fit(make(columns, constraints=[RULES[2]]), frame), 300)
    assert len(drawn) == 300
    assert (drawn["a"].str[:10] == drawn["b"]).all()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"a": 0.0, "b": None}, "'b' cannot be drawn missing"),
        ({"a": -20.0, "b": 38.0}, r"\['a', 'b'\] the values \[-20.0, 38.0\], farther apart"),
        ({"a": 0.0, "b": 10_000.0}, "'b' the value 10000.0, outside the training range"),
        ({"b": -99.0}, "'b' the value -99.0, outside the training range"),
        ({"a": None, "b": 3.0}, "'b' cannot be drawn known where those before it"),
    ],
    ids=str,
)
def test_conditions_that_training_did_not_show_are_named(values, told):
    frame = numbers(200)[["a", "b"]]
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[RULES[2]]), frame)
    with pytest.raises(ValueError, match=told):
        remaining(synthesizer, pd.DataFrame([values] * 2))


def test_written_dates_out_of_order_are_refused_whatever_their_format():
    # As text "09/..." comes after "01/...".
    written = {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"}
    frame = pd.DataFrame({"a": ["09/01/2020"], "b": ["01/02/2020"], "c": ["02/02/2020"]})
    frame = pd.concat([frame] * 30, ignore_index=True)
    columns = dict.fromkeys(frame, written)
    assert len(sample(fit(make(columns, constraints=[RULES[3]]), frame), 10)) == 10
    with pytest.raises(ConstraintNotMetError, match="09/01/2020"):
        fit(make(columns, constraints=[RULES[3]]), frame.assign(c="08/01/2020"))


def test_a_coarser_high_end_is_rounded_within_the_order():
    rng = np.random.default_rng(0)
    low = (rng.random(400) * 9).round(2)
    frame = pd.DataFrame({"a": low, "b": np.ceil(low + rng.random(400) / 2)})
    constraint = with_gaps(RULES[2])
    constraint.fit(frame, describe(dict.fromkeys(frame, "numerical")))
    told = constraint.transform(frame)
    told["a"] = rng.permutation(told["a"])
    rows = constraint.reverse_transform(told)
    assert (rows["b"] == rows["b"].round()).all()
    assert (rows["a"] <= rows["b"]).all()


def test_single_precision_numbers_keep_their_decimals():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.integers(1, 90, (400, 2)) / 10, columns=["a", "b"]).cumsum(axis=1)
    frame = frame.round(1).astype("float32")
    constraint = with_gaps(RULES[2])
    constraint.fit(frame, describe(dict.fromkeys(frame, "numerical")))
    told = constraint.transform(frame)
    apart = told["a#b"].astype("float64")
    assert (apart == apart.round(1)).all()
    told["a"] = rng.permutation(told["a"])
    rows = constraint.reverse_transform(told)
    assert (rows["b"] == rows["b"].round(1)).all()


@pytest.mark.parametrize("low", ["int64", "Int64", "float64"])
def test_decimals_above_whole_numbers_stay(low):
    rng = np.random.default_rng(0)
    a = pd.Series(rng.integers(0, 60, 300)).astype(low)
    frame = pd.DataFrame({"a": a, "b": (a.astype("float64") + rng.exponential(1, 300) + 0.01).round(2)})
    constraint = with_gaps(Inequality("a", "b", strict_boundaries=True))
    constraint.fit(frame, describe(dict.fromkeys(frame, "numerical")))
    pd.testing.assert_frame_equal(constraint.reverse_transform(constraint.transform(frame)), frame)


def test_distances_depend_on_other_columns_whatever_the_gaps():
    rng = np.random.default_rng(0)
    group = rng.choice(["near", "far"], 1000)
    a = rng.normal(0, 10, 1000).round(1)
    apart = np.where(group == "near", rng.integers(0, 4, 1000), rng.integers(20, 30, 1000))
    frame = pd.DataFrame({"a": a, "b": (a + apart).round(1)})
    frame = with_holes(frame).assign(group=group)
    columns = {"a": "numerical", "b": "numerical", "group": "categorical"}
    synthesizer = make(columns, constraints=[RULES[2]], epochs=60, width=32, n_layers=2)
    drawn = sample(fit(synthesizer, frame), 2000)
    known = drawn.dropna()
    assert len(known) / 2000 == pytest.approx(len(frame.dropna()) / 1000, abs=0.06)
    wrong = (known["b"] - known["a"] > 10) == (known["group"] == "near")
    assert wrong.mean() < 0.025


def test_known_values_may_be_given_in_another_form():
    frame = dates(200)[["a", "b"]]
    synthesizer = fit(make(dict.fromkeys(frame, "datetime"), constraints=[RULES[2]]), frame)
    for known in (frame.head(4).astype(str), frame[["b"]].head(4).astype(str)):
        drawn = remaining(synthesizer, known)
        pd.testing.assert_frame_equal(drawn[known.columns], frame[known.columns].head(4))
    frame = numbers(200)[["a", "b"]]
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[RULES[2]]), frame)
    drawn = remaining(synthesizer, frame.head(4).astype(object))
    pd.testing.assert_frame_equal(drawn.astype("float64"), frame.head(4))


class Closer(SingleTableProgrammableConstraint):
    """The two columns are less than 40 apart."""

    def get_updated_metadata(self, metadata):
        return metadata

    def transform(self, data):
        return data

    def reverse_transform(self, transformed_data):
        return transformed_data

    def is_valid(self, synthetic_data):
        return synthetic_data["b"] - synthetic_data["a"] < 40


def test_a_users_constraint_may_need_columns_that_are_not_known():
    frame = numbers(200)[["a", "b"]]
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[Closer()]), frame)
    known = frame[["a"]].head(5)
    pd.testing.assert_frame_equal(remaining(synthesizer, known)[["a"]], known)


def test_days_without_zeros_are_not_taken_for_months():
    days = pd.Timestamp("2020-11-01") + pd.to_timedelta(np.arange(200) % 10, unit="D")
    written = {"sdtype": "datetime", "datetime_format": "%-d/%-m/%Y"}
    frame = pd.DataFrame({"a": days.strftime("%-d/%-m/%Y")})
    frame["b"] = (days + DAY).strftime("%-d/%-m/%Y")
    drawn = sample(fit(make(dict.fromkeys(frame, written), constraints=[RULES[2]]), frame), 100)
    assert drawn["a"].isin(frame["a"]).all()
    assert drawn["b"].isin(frame["b"]).all()
    assert drawn["b"].nunique() > 5


def test_pairs_never_known_together_are_named():
    frame = pd.DataFrame({"a": [1.0, 2, 3, None, None, None], "b": [None, None, None, 1.0, 2, 3]})
    frame = pd.concat([frame] * 20, ignore_index=True)
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[RULES[2]]), frame)
    with pytest.raises(ValueError, match=r"\['a', 'b'\] the values \[2.0, 2.0\]"):
        remaining(synthesizer, pd.DataFrame({"a": [2.0], "b": [2.0]}))


def test_learned_names_differ_from_each_other():
    frame = with_holes(numbers(300)).set_axis(["x", "y.known", "x#y"], axis=1)
    constraint = Range("x", "y.known", "x#y", strict_boundaries=False)
    synthesizer = fit(make(dict.fromkeys(frame, "numerical"), constraints=[constraint]), frame)
    pd.testing.assert_frame_equal(remaining(synthesizer, frame.head(30)), frame.head(30))
