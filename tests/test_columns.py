"""What a token of a column means, in both directions, for every kind of column."""

from __future__ import annotations

import decimal
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tables import CATEGORICAL, KINDS, NUMERIC, column_of, equals

from macode_plugin.columns import FREE, column_from_json, fit_column

DRAWS = (0.0, 0.3, 0.5, 1 - 2**-53)


def fitted(series, **changes):
    options = {"categorical": False, "n_bins": 20, "atoms": True, "model_missing": False, **changes}
    return fit_column(series, **options)


def every_value(column, u):
    return column.decode(np.arange(column.n_values), np.full(column.n_values, u))


@pytest.mark.parametrize("u", DRAWS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_tokens_value_has_that_token(kind, u):
    column = fitted(column_of(kind))
    again = column.encode(every_value(column, u))
    assert again.tolist() == list(range(column.n_values))


@pytest.mark.parametrize("u", DRAWS)
@pytest.mark.parametrize("kind", KINDS)
def test_values_keep_name_dtype_and_range(kind, u):
    series = column_of(kind)
    values = every_value(fitted(series), u)
    assert values.name == series.name
    assert values.dtype == series.dtype
    seen = series.dropna()
    if kind in NUMERIC:
        assert values.min() >= seen.min()
        assert values.max() <= seen.max()
    else:
        assert set(values) == set(seen)


@pytest.mark.parametrize("kind", KINDS)
def test_missing_cells_have_no_token(kind):
    series = column_of(kind)
    tokens = fitted(series).encode(series)
    assert ((tokens == FREE) == series.isna()).all()


@pytest.mark.parametrize("kind", KINDS)
def test_modelled_missingness_has_the_last_token(kind):
    series = column_of(kind).astype(object).mask(np.arange(240) % 3 == 0).astype(nullable(kind))
    column = fitted(series, model_missing=True)
    assert column.n_missing == series.isna().sum()
    assert column.counts.sum() == len(series)
    tokens = np.array([column.missing_token, 0, column.missing_token])
    decoded = column.decode(tokens, np.full(3, 0.5))
    assert decoded.isna().tolist() == [True, False, True]
    assert decoded.dtype == series.dtype


def nullable(kind):
    """Return a dtype like the kind's own that can hold missing cells."""
    dtype = column_of(kind).dtype
    if kind in ("int", "int_gaps"):
        return "Int64"
    if kind in ("uint8", "bool"):
        return {"uint8": "UInt8", "bool": "boolean"}[kind]
    return dtype


@pytest.mark.parametrize("kind", KINDS)
def test_counts_are_the_training_cells(kind):
    series = column_of(kind)
    column = fitted(series)
    tokens = column.encode(series)
    assert column.counts.tolist() == np.bincount(tokens[tokens != FREE]).tolist()
    assert column.n_tokens == column.n_values == len(column.counts)


@pytest.mark.parametrize("atoms", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_column_survives_json(kind, atoms):
    column = fitted(column_of(kind), atoms=atoms, model_missing=True)
    spec, arrays = column.to_json()
    again = column_from_json(json.loads(json.dumps(spec)), arrays)
    u = np.random.default_rng(0).random(column.n_tokens)
    tokens = np.arange(column.n_tokens)
    pd.testing.assert_series_equal(again.decode(tokens, u), column.decode(tokens, u))
    assert again.encode(column_of(kind)).tolist() == column.encode(column_of(kind)).tolist()
    assert again.counts.tolist() == column.counts.tolist()
    assert again.ordered == column.ordered
    assert again.missing_token == column.missing_token


@pytest.mark.parametrize("kind", KINDS)
def test_positions_rise_over_an_ordered_column(kind):
    column = fitted(column_of(kind))
    if column.ordered:
        assert (np.diff(column.positions) > 0).all()
        assert column.positions[0] > 0
        assert column.positions[-1] < 1
    else:
        assert column.positions is None
    assert column.ordered == (kind in NUMERIC or kind in ("ordered", "interval"))


@pytest.mark.parametrize("kind", KINDS)
def test_categories_that_are_numbers_have_their_order(kind):
    column = fitted(column_of(kind), categorical=True)
    assert column.ordered == (kind in set(NUMERIC) - {"constant"} or kind in ("ordered", "interval"))
    if kind in NUMERIC:
        assert pd.Series(column.values).is_monotonic_increasing


def test_two_numbers_and_numbers_declared_unordered_are_plain_categories():
    codes = pd.Series([0, 1, 2, 1] * 30, name="code")
    assert fitted(codes, categorical=True).ordered
    assert not fitted(codes.clip(upper=1), categorical=True).ordered
    assert not fitted(codes.astype("category")).ordered


@pytest.mark.parametrize("kind", KINDS)
def test_any_column_can_be_taken_as_categories(kind):
    series = column_of(kind)
    column = fitted(series, categorical=True)
    values = every_value(column, 0.5)
    assert set(values) == set(series.dropna())
    assert values.dtype == series.dtype
    known = series.dropna()
    assert equals(column.decode(column.encode(known), np.zeros(len(known))), known).all()


@pytest.mark.parametrize("kind", CATEGORICAL)
def test_a_category_that_training_did_not_show_is_named(kind):
    series = column_of(kind)
    column = fitted(series)
    with pytest.raises(ValueError, match=rf"'{kind}' has no category 'unheard of'"):
        column.encode(pd.Series(["unheard of"], dtype=object))


def test_a_declared_category_that_training_did_not_use_never_appears_but_stays_declared():
    series = column_of("ordered")
    column = fitted(series)
    values = every_value(column, 0.5)
    assert set(values) == {"low", "mid", "high"}
    assert values.cat.categories.tolist() == ["low", "never", "mid", "high"]
    assert values.cat.ordered
    assert values.tolist() == ["low", "mid", "high"]
    with pytest.raises(ValueError, match="never"):
        column.encode(pd.Series(["never"]))


def on_the_grid(kind, values):
    if kind == "price":
        return values == values.round(2)
    if kind == "int_gaps":
        return (values - 3) % 7 == 0
    if kind in ("datetime", "datetime_tz"):
        return values == values.dt.normalize()
    return values.dt.microseconds == 0


@pytest.mark.parametrize("kind", ["price", "int_gaps", "datetime", "datetime_tz", "timedelta"])
def test_values_are_on_the_columns_own_grid(kind):
    column = fitted(column_of(kind, 1000))
    rng = np.random.default_rng(0)
    values = column.decode(rng.integers(0, column.n_values, 1000), rng.random(1000))
    assert on_the_grid(kind, values).all()
    assert not values.isin(column_of(kind, 1000)).all(), "nothing new: the test has no power"


ZONED = {
    "days by the clock of UTC": ("UTC", "America/New_York", "D"),
    "days by the clock on the wall": ("America/New_York", "America/New_York", "D"),
    "days of another zone": ("Asia/Tokyo", "Asia/Tokyo", "D"),
    "hours, by either clock": ("UTC", "Europe/Berlin", "7h"),
}


@pytest.mark.parametrize("name", ZONED)
def test_zoned_times_stay_on_the_coarser_of_their_grids(name):
    clock, zone, step = ZONED[name]
    times = pd.date_range("2024-01-01", periods=400, freq=step, tz=clock)
    column = fitted(pd.Series(times.tz_convert(zone)))
    again = column_from_json(*column.to_json())
    tokens = np.random.default_rng(0).integers(0, column.n_values, 500)
    drawn = again.decode(tokens, np.random.default_rng(1).random(500))
    assert (drawn.dt.tz_convert(clock).dt.hour.isin(times.hour)).all()
    assert (drawn.dt.minute == 0).all()
    assert str(drawn.dt.tz) == zone
    assert not drawn.isin(times[::7]).all()


def test_single_precision_keeps_its_decimals():
    series = pd.Series(np.round(np.random.default_rng(0).random(500), 3).astype(np.float32))
    column = fitted(series)
    values = column.decode(np.arange(column.n_values), np.full(column.n_values, 0.37))
    assert (values == values.astype(np.float64).round(3).astype(np.float32)).all()


def test_a_value_with_enough_mass_comes_back_exactly():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    x[:20], x[20:60] = 0.123456789, -7.5
    column = fitted(pd.Series(x), n_bins=50)
    heavy = pd.Series([0.123456789, -7.5])
    tokens = column.encode(heavy)
    assert column.counts[tokens].tolist() == [20, 40]
    for u in DRAWS:
        assert column.decode(tokens, np.full(2, u)).tolist() == heavy.tolist()


def test_without_atoms_the_published_bins_smear_a_frequent_value():
    x = np.r_[np.zeros(21), np.linspace(1, 2, 79)]
    values = every_value(fitted(pd.Series(x), n_bins=5, atoms=False), 0.5)
    assert values.nunique() == 5
    assert not values.isin(x).all()
    assert 0.0 in every_value(fitted(pd.Series(x), n_bins=5), 0.5).tolist()


finite = st.floats(-1e300, 1e300)
lists = {"min_size": 1, "max_size": 60}
scales = st.sampled_from([1e-200, 1e-12, 1.0, 1e12, 1e200])
ANY_NUMBERS = st.one_of(
    st.lists(finite, **lists).map(np.array),
    st.builds(lambda x, scale: np.array(x) * scale, st.lists(st.floats(-1, 1), **lists), scales),
    st.lists(st.integers(-(10**6), 10**6), **lists).map(lambda cents: np.array(cents) / 100),
    st.lists(st.sampled_from([0.0, -1.5, 0.1, 2.0]), **lists).map(np.array),
    st.lists(st.sampled_from(list(range(0, 900, 9))), **lists).map(np.array),
    st.lists(st.integers(-(2**60), 2**60), **lists).map(np.array),
    hnp.arrays(np.uint8, st.integers(1, 60)),
    hnp.arrays(np.float32, st.integers(1, 60), elements=st.floats(-4, 4, width=32)),
)


@given(ANY_NUMBERS, st.sampled_from([1, 2, 5, 20]), st.sampled_from(DRAWS))
@example(np.array([0.3, 0.1 + 0.2]), 20, 0.5)
@example(np.random.default_rng(0).normal(size=60).astype(np.float32), 5, 0.0)
@example(np.r_[np.arange(11), 2**60], 2, 0.0)
@example(np.array([0, 1, -9_007_199_254_741_006]), 1, 1 - 2**-53)
@example(np.array([-2.208359], dtype=np.float32), 1, 0.0)
@example(np.array([0, 1, -36_028_797_018_963_938]), 2, 0.0)
def test_any_numbers_tokens_and_values_agree(x, n_bins, u):
    column = fitted(pd.Series(x), n_bins=n_bins)
    values = every_value(column, u)
    assert column.encode(values).tolist() == list(range(column.n_values))
    assert values.dtype == x.dtype
    assert values.min() >= x.min()
    assert values.max() <= x.max()


@given(ANY_NUMBERS, st.sampled_from([1, 2, 5, 20]))
def test_any_numbers_every_frequent_value_comes_back(x, n_bins):
    assume(x.dtype.kind == "f" or int(x.max()) - int(x.min()) < 2**52)  # beyond, integers are not exact
    column = fitted(pd.Series(x), n_bins=n_bins)
    values, counts = np.unique(x, return_counts=True)
    frequent = values[(counts * n_bins >= len(x)) | (len(values) <= n_bins)]
    tokens = column.encode(pd.Series(frequent))
    assert column.decode(tokens, np.full(len(frequent), 0.4)).tolist() == frequent.tolist()


@given(st.lists(finite, min_size=1, max_size=60))
def test_the_published_bins_stay_inside_the_range(x):
    column = fitted(pd.Series(x), n_bins=7, atoms=False)
    values = every_value(column, 0.6)
    assert min(x) <= values.min()
    assert values.max() <= max(x)


# Without NUL, which pandas before 3 takes for the end of a string.
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=3)


@given(st.lists(st.one_of(st.none(), TEXT), min_size=1, max_size=30))
def test_any_strings_come_back(cells):
    series = pd.Series(cells, dtype=object)
    if series.isna().all():
        with pytest.raises(ValueError, match="no value at all"):
            fitted(series)
        return
    column = fitted(series)
    known = series.dropna()
    assert column.decode(column.encode(known), np.zeros(len(known))).tolist() == known.tolist()


MIXED_SCALARS = {
    "bool": [True, np.False_, np.True_, False],
    "str": ["b", np.str_("a"), np.str_("b"), "a"],
    "int": [2, np.int64(1), np.int8(2), 1],
}


@pytest.mark.parametrize("kind", MIXED_SCALARS)
def test_numpys_scalars_and_pythons_are_the_same_categories(kind):
    series = pd.Series(MIXED_SCALARS[kind], dtype=object)
    column = fitted(series, model_missing=True)
    assert column.encode(series).tolist() == [1, 0, 1, 0]
    spec, arrays = column.to_json()
    again = column_from_json(json.loads(json.dumps(spec)), arrays)
    assert {type(value).__name__ for value in again.values} == {kind}


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([1, True, 0, False, 2], r"mixes int \(1\) and bool \(True\)"),
        ([False, None, 0], r"mixes bool \(False\) and int \(0\)"),
        ([1.0, np.True_], r"mixes float \(1\.0\) and bool_? \(.*True_?\)"),
        ([decimal.Decimal(1), 1], r"mixes Decimal \(Decimal\('1'\)\) and int \(1\)"),
    ],
)
def test_equal_values_of_different_types_are_not_one_category(cells, words):
    with pytest.raises(TypeError, match=f"column 'x' {words}; convert it to one type"):
        fitted(pd.Series(cells, dtype=object, name="x"))


def test_whole_and_other_numbers_among_objects_are_of_one_type():
    assert fitted(pd.Series([1, 1.0, 2.5, np.int8(2)], dtype=object)).n_values == 3


def test_decimals_keep_all_their_digits():
    cells = [decimal.Decimal("12345678901234567.89"), decimal.Decimal("12345678901234567.91")]
    series = pd.Series(cells * 9, dtype=pd.ArrowDtype(pa.decimal128(20, 2)))
    assert set(every_value(fitted(series), 0.5)) == set(cells)


def test_what_is_given_in_another_form_is_read():
    def token(column, value):
        return column.encode(pd.Series([value])).tolist()

    day, number = fitted(column_of("datetime")), fitted(column_of("int"))
    assert token(day, "2020-01-05") == token(day, pd.Timestamp("2020-01-05"))
    assert token(day, "2020-01-05") != token(day, "2019-03-05")
    assert token(number, 7.0) == token(number, "7") == token(number, 7)


def test_what_cannot_be_read_as_the_columns_values_is_named():
    with pytest.raises(ValueError, match=r"'datetime'.*datetime64.*'soon'"):
        fitted(column_of("datetime")).encode(pd.Series(["soon"]))
    with pytest.raises(ValueError, match=r"'int'.*int64.*'many'"):
        fitted(column_of("int")).encode(pd.Series(["many"]))
    with pytest.raises(ValueError, match=r"'int'.* and 'many' cannot be read"):
        fitted(column_of("int")).encode(pd.Series(["7", None, "many"]))


def test_infinities_are_refused_with_their_number():
    with pytest.raises(ValueError, match=r"'x' holds -inf in 2 cell"):
        fitted(pd.Series([1.0, -np.inf, np.inf], name="x"))


def test_a_column_without_a_value_is_refused_unless_missing_is_modelled():
    empty = pd.Series([np.nan, np.nan], name="void")
    with pytest.raises(ValueError, match="'void' has no value at all"):
        fitted(empty)
    column = fitted(empty, model_missing=True)
    assert column.n_tokens == 1
    assert column.decode(np.zeros(2, dtype=np.int64), np.zeros(2)).isna().all()
