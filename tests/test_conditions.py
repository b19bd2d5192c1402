"""Draws under conditions: what may be given, how, and what is said of the rest."""

from __future__ import annotations

import copy
import datetime
import decimal
import pickle

import numpy as np
import pandas as pd
import pytest
from tables import KINDS, NUMERIC, column_of, equals

from macode_plugin import MISSING
from macode_plugin.conditions import read_conditions


@pytest.fixture(scope="module")
def gaps():
    """A table whose columns miss cells, and one that is whole."""
    rng = np.random.default_rng(0)
    holes = rng.random((200, 3)) < 0.3
    frame = pd.DataFrame({"x": rng.normal(size=200), "s": rng.choice(["a", "b"], 200), "n": range(200)})
    return frame.astype({"s": object, "n": "Int64"}).mask(holes).assign(whole=rng.integers(0, 5, 200))


@pytest.fixture
def missing_model(gaps, tiny):
    return tiny(missing="model").fit(gaps)


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_of_every_kind_can_be_given(kind, mixed, mixed_model):
    value = mixed[kind].dropna().iloc[3]
    drawn = mixed_model.sample(5, conditions={kind: value}, random_state=0)
    assert [one == value for one in drawn[kind]] == [True] * 5
    assert drawn[kind].dtype == mixed[kind].dtype


def test_conditions_on_all_columns_come_back_exactly(mixed, mixed_model):
    drawn = mixed_model.sample(conditions=mixed, random_state=0)
    for name in KINDS:
        given = mixed[name].notna()
        assert equals(drawn[name], mixed[name])[given].all()
        assert drawn[name].notna().all()
    assert drawn.dtypes.tolist() == mixed.dtypes.tolist()


def test_a_whole_row_as_a_mapping_comes_back(mixed, mixed_model):
    row = mixed.dropna().iloc[0].to_dict()
    drawn = mixed_model.sample(2, conditions=row, random_state=0)
    for name, value in row.items():
        assert drawn[name].tolist() == [value] * 2


def test_given_numbers_keep_all_their_digits(mixed_model):
    value = 0.12345678901234567
    drawn = mixed_model.sample(3, conditions={"float": value}, random_state=0)
    assert drawn["float"].tolist() == [value] * 3


def test_missing_cells_of_a_frame_are_free(mixed, mixed_model):
    given = pd.DataFrame({"str": ["red", None, "blue", None] * 25, "float": [np.nan, 0.25] * 50})
    drawn = mixed_model.sample(conditions=given, random_state=0)
    assert drawn["str"][given["str"].notna()].tolist() == ["red", "blue"] * 25
    assert drawn["float"][given["float"].notna()].eq(0.25).all()
    assert drawn["float"][given["float"].isna()].nunique() == 50
    assert drawn["str"][given["str"].isna()].isin(["red", "green", "blue"]).all()


@pytest.mark.parametrize("nothing", [None, np.nan, pd.NA])
def test_a_missing_value_in_a_mapping_leaves_the_column_free(nothing, mixed_model):
    free = mixed_model.sample(20, random_state=0)
    for kind in ("float", "str", "Int64_na", "datetime"):
        drawn = mixed_model.sample(20, conditions={kind: nothing}, random_state=0)
        pd.testing.assert_frame_equal(drawn, free)


def test_no_conditions_are_no_conditions(mixed_model):
    free = mixed_model.sample(20, random_state=0)
    pd.testing.assert_frame_equal(mixed_model.sample(20, conditions={}, random_state=0), free)
    empty = pd.DataFrame(index=range(20))
    pd.testing.assert_frame_equal(mixed_model.sample(conditions=empty, random_state=0), free)


def test_a_mapping_and_a_frame_that_say_the_same_draw_the_same(mixed_model):
    by_mapping = mixed_model.sample(30, conditions={"str": "green", "int": 7}, random_state=0)
    frame = pd.DataFrame({"int": [7] * 30, "str": ["green"] * 30})
    pd.testing.assert_frame_equal(mixed_model.sample(conditions=frame, random_state=0), by_mapping)
    pd.testing.assert_frame_equal(mixed_model.sample(30, conditions=frame, random_state=0), by_mapping)


@pytest.mark.parametrize(
    "index", [pd.Index(["u", "v", "w"]), pd.Index([7, 7, 3]), pd.date_range("2020", periods=3)], ids=str
)
def test_a_frames_index_is_kept(index, mixed_model):
    given = pd.DataFrame({"str": ["red", None, "blue"]}, index=index)
    drawn = mixed_model.sample(conditions=given, random_state=0)
    assert drawn.index.equals(index)
    assert drawn["str"].iloc[[0, 2]].tolist() == ["red", "blue"]


def test_the_conditions_are_not_modified(gaps, missing_model):
    given = pd.DataFrame({"x": [0.5, MISSING, None], "s": ["a", None, MISSING]}, dtype=object)
    before = given.copy(deep=True)
    missing_model.sample(conditions=given, random_state=0)
    pd.testing.assert_frame_equal(given, before)


def test_asked_for_missing_cells_are_missing(missing_model, gaps):
    for name in ("x", "s", "n"):
        drawn = missing_model.sample(50, conditions={name: MISSING}, random_state=0)
        assert drawn[name].isna().all()
        assert drawn.dtypes.tolist() == gaps.dtypes.tolist()
        others = [other for other in ("x", "s", "n") if other != name]
        assert drawn[others].notna().any(axis=None)


def test_missing_given_and_free_cells_mix_in_a_frame(missing_model):
    given = pd.DataFrame({"x": [MISSING, 0.25, None] * 40, "n": [5, None, MISSING] * 40}, dtype=object)
    drawn = missing_model.sample(conditions=given, random_state=0)
    assert drawn["x"][::3].isna().all()
    assert drawn["x"][1::3].eq(0.25).all()
    assert 0 < drawn["x"][2::3].isna().mean() < 1
    assert drawn["n"][::3].eq(5).all()
    assert drawn["n"][2::3].isna().all()


def test_missing_cannot_be_asked_of_a_column_that_is_never_missing(missing_model, mixed_model):
    with pytest.raises(ValueError, match="'whole' cannot be drawn missing"):
        missing_model.sample(1, conditions={"whole": MISSING})
    with pytest.raises(ValueError, match=r"'Int64_na' cannot be drawn missing.*missing='model'"):
        mixed_model.sample(1, conditions={"Int64_na": MISSING})


def test_missing_is_one_object():
    assert repr(MISSING) == "MISSING"
    assert copy.deepcopy(MISSING) is MISSING
    assert pickle.loads(pickle.dumps(MISSING)) is MISSING


OTHER_FORMS = {
    "datetime": ("2019-06-01", pd.Timestamp("2019-06-01")),
    "datetime_tz": ("2019-06-01T00:00:00+02:00", pd.Timestamp("2019-06-01", tz="Europe/Berlin")),
    "timedelta": ("01:00:00", pd.Timedelta(hours=1)),
    "period": ("2019-06", pd.Period("2019-06", freq="M")),
    "arrow_timestamp": (pd.Timestamp("2019-06-01"), pd.Timestamp("2019-06-01")),
    "arrow_date32": (datetime.date(2020, 1, 5), datetime.date(2020, 1, 5)),
    "arrow_decimal": (decimal.Decimal("12.50"), decimal.Decimal("12.50")),
    "int": (7.0, 7),
    "uint8": (np.int64(200), 200),
    "price": (5, 5.0),
    "Int64_na": (3.0, 3),
    "arrow_int": (np.int8(3), 3),
    "float32": (0.5, np.float32(0.5)),
    "bool": (np.bool_(True), True),
    "str": (np.str_("red"), "red"),
    "ordered": ("mid", "mid"),
}


@pytest.mark.parametrize("kind", OTHER_FORMS)
def test_values_can_be_given_in_other_forms(kind, mixed, mixed_model):
    form, value = OTHER_FORMS[kind]
    drawn = mixed_model.sample(4, conditions={kind: form}, random_state=0)
    assert [one == value for one in drawn[kind]] == [True] * 4
    assert drawn[kind].dtype == mixed[kind].dtype
    pd.testing.assert_frame_equal(drawn, mixed_model.sample(4, conditions={kind: value}, random_state=0))


@pytest.mark.parametrize("noon", ["2021-06-03 12:00", pd.Timestamp("2021-06-03 12:00")], ids=repr)
def test_a_time_without_a_zone_is_the_columns_own_or_refused(noon, tiny):
    hours = pd.date_range("2021-06-01", periods=200, freq="h", tz="Europe/Berlin")
    model = tiny(n_bins=200).fit(pd.DataFrame({"t": hours}))
    own = pd.Timestamp("2021-06-03 12:00", tz="Europe/Berlin")
    try:
        given = read_conditions(model.table_, {"t": noon}, 1)
    except ValueError as error:
        assert "'t'" in str(error)  # noqa: PT017
        return
    assert given.tokens.tolist() == read_conditions(model.table_, {"t": own}, 1).tokens.tolist()
    assert model.sample(1, conditions={"t": noon}, random_state=0)["t"].tolist() == [own]


def test_dates_as_strings_with_missing_ones(mixed, mixed_model):
    given = pd.DataFrame({"datetime": ["2019-06-01", None, "2020-01-02"]})
    drawn = mixed_model.sample(conditions=given, random_state=0)
    assert drawn["datetime"].iloc[[0, 2]].astype(str).tolist() == ["2019-06-01", "2020-01-02"]
    assert drawn["datetime"].notna().all()
    assert drawn["datetime"].dtype == mixed["datetime"].dtype


@pytest.mark.parametrize("dtype", ["Int64", "float64", "Float64", "int64[pyarrow]", object])
def test_integers_with_missing_ones_in_any_dtype(dtype, mixed, mixed_model):
    given = pd.DataFrame({"int": pd.Series([5, None, 9], dtype=dtype)})
    drawn = mixed_model.sample(conditions=given, random_state=0)
    assert drawn["int"].iloc[[0, 2]].tolist() == [5, 9]
    assert drawn["int"].dtype == mixed["int"].dtype


@pytest.mark.parametrize("missing", [None, MISSING], ids=["free", "missing"])
def test_integers_that_no_float_holds_come_back_to_the_digit(missing, tiny):
    rng = np.random.default_rng(0)
    numbers = pd.Series(rng.integers(2**60, 2**60 + 10**6, 200), dtype="Int64").mask(
        rng.random(200) < 0.2
    )
    model = tiny(missing="model").fit(pd.DataFrame({"big": numbers}))
    asked = int(numbers.dropna().iloc[0]) | 1
    given = pd.DataFrame({"big": pd.Series([asked, missing], dtype=object)})
    drawn = model.sample(conditions=given, random_state=0)["big"]
    assert drawn.dtype == "Int64"
    assert drawn.iloc[0] == asked
    assert missing is None or drawn.iloc[1] is pd.NA


BAD = {
    "unknown column": ({"height": 1}, r"no column 'height'; its columns: 'int'"),
    "unknown category": ({"str": "purple"}, r"'str' has no category 'purple'.*known: 'blue'"),
    "unused category": ({"ordered": "never"}, r"'ordered' has no category 'never'"),
    "category of another type": ({"bool": "yes"}, r"'bool' has no category 'yes'"),
    "above the range": ({"int": 10_000}, r"'int' the value 10000, outside the .*range -50 to 199"),
    "below the range": ({"float": -99.0}, r"'float' the value -99.0, outside"),
    "infinity": ({"float": np.inf}, r"'float'.*inf"),
    "a date too late": ({"datetime": "2035-01-01"}, r"'datetime'.*2035-01-01.*outside"),
    "no number": ({"int": "many"}, r"'int' holds int64 values, and 'many' cannot be read"),
    "no date": ({"datetime": "soon"}, r"'datetime'.*'soon' cannot be read"),
    "no period": ({"period": "soon"}, r"'period'.*'soon' cannot be read"),
    "no decimal": ({"arrow_decimal": "soon"}, r"'arrow_decimal'.*'soon' cannot be read"),
    "a date for a number": ({"int": pd.Timestamp("2020-01-01")}, r"'int' holds int64 values"),
    "a number for a date": ({"datetime": 5.5}, r"'datetime'.* and 5.5 cannot be read"),
    "a number for a zoned time": ({"datetime_tz": 5}, r"'datetime_tz'.* and 5(.0)? cannot be read"),
    "a number for a duration": ({"timedelta": 5}, r"'timedelta'.*5"),
    "a list": ({"int": [1, 2]}, r"'int' \[1, 2\], which is not one value"),
    "an array": ({"str": np.array(["red"])}, r"'str'.*not one value"),
    "a tuple": ({"str": ("red", "blue")}, r"'str'.*not one value"),
    "a tuple of numbers": ({"int": (1, 2)}, r"'int'.*not one value"),
    "text for no number": ({"float": "nan"}, r"'float' holds float64 values, and 'nan' cannot be read"),
    "text for no date": ({"datetime": "NaT"}, r"'datetime'.*'NaT' cannot be read"),
    "empty text for a date": ({"datetime_tz": ""}, r"'datetime_tz'.*'' cannot be read"),
    "a half for an integer": ({"int": 7.5}, r"'int'.*7.5"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_conditions_are_refused_by_name_and_value(name, mixed_model):
    conditions, message = BAD[name]
    with pytest.raises(ValueError, match=message):
        mixed_model.sample(3, conditions=conditions, random_state=0)


@pytest.mark.parametrize("name", [name for name in BAD if "not one value" not in BAD[name][1]])
def test_bad_cells_of_a_frame_are_refused_by_name_and_value(name, mixed_model):
    conditions, message = BAD[name]
    frame = pd.DataFrame({column: [None, value] for column, value in conditions.items()})
    if name == "above the range":
        message = message.replace("10000", "10000(.0)?")
    with pytest.raises(ValueError, match=message):
        mixed_model.sample(conditions=frame, random_state=0)


def test_as_many_rows_as_the_frame_has(mixed_model):
    given = pd.DataFrame({"str": ["red", "blue"]})
    with pytest.raises(ValueError, match="n is 3, but conditions has 2 rows"):
        mixed_model.sample(3, conditions=given)


def test_a_mapping_needs_n(mixed_model):
    with pytest.raises(ValueError, match="n, the number of rows"):
        mixed_model.sample(conditions={"str": "red"})
    with pytest.raises(ValueError, match="n, the number of rows"):
        mixed_model.sample()


@pytest.mark.parametrize("conditions", [["str"], "str", 3, column_of("str")], ids=repr)
def test_only_mappings_and_frames_are_conditions(conditions, mixed_model):
    with pytest.raises(TypeError, match=f"mapping or a DataFrame, got {type(conditions).__name__}"):
        mixed_model.sample(3, conditions=conditions)


@pytest.mark.parametrize("kind", ["str", "int"])
def test_a_column_named_twice_is_refused(kind, mixed, mixed_model):
    twice = mixed[[kind, kind]].head(2)
    with pytest.raises(ValueError, match=rf"column '{kind}' occurs more than once"):
        mixed_model.sample(conditions=twice)


@pytest.mark.parametrize("kind", NUMERIC)
def test_the_ends_of_the_training_range_can_be_given(kind, mixed, mixed_model):
    for value in (mixed[kind].min(), mixed[kind].max()):
        drawn = mixed_model.sample(2, conditions={kind: value}, random_state=0)
        assert drawn[kind].tolist() == [value] * 2


def test_a_number_off_the_grid_can_be_given(mixed_model):
    drawn = mixed_model.sample(2, conditions={"price": 12.3456}, random_state=0)
    assert drawn["price"].tolist() == [12.3456] * 2


def test_texts_of_times_may_tell_offsets_that_differ_by_daylight_saving(tiny):
    times = pd.date_range("2020-01-01", periods=400, freq="D", tz="Europe/Berlin")
    model = tiny().fit(pd.DataFrame({"t": times, "x": range(400)}))
    texts = ["2020-01-05T00:00:00+01:00", "2020-07-01T00:00:00+02:00", "2020-07-01", "2020-06-30T22:00Z"]
    summer = pd.Timestamp("2020-07-01", tz="Europe/Berlin")
    expected = [pd.Timestamp("2020-01-05", tz="Europe/Berlin"), summer, summer, summer]
    for index in (range(4), [7, 7, 3, 3]):  # labels of rows may repeat
        given = pd.DataFrame({"t": texts}, index=index)
        assert (
            model.table_.encode(given)[:, 0].tolist()
            == model.table_.encode(pd.DataFrame({"t": expected}))[:, 0].tolist()
        )
    drawn = model.sample(conditions=pd.DataFrame({"t": texts}), random_state=0)["t"]
    assert drawn.tolist() == expected
    assert drawn.dtype == times.dtype
    alone = model.sample(1, conditions={"t": texts[0]}, random_state=0)["t"]
    assert alone.tolist() == expected[:1]


def test_every_identifier_of_the_training_rows_can_be_given(tiny):
    # So far apart that their grid is coarse: the largest is not on it.
    ids = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 300)
    model = tiny().fit(pd.DataFrame({"id": ids, "x": range(300)}))
    drawn = model.sample(conditions=pd.DataFrame({"id": ids}), random_state=0)
    assert drawn["id"].tolist() == ids.tolist()
    assert model.table_["id"].range == (ids.min(), ids.max())
    with pytest.raises(ValueError, match="outside the training range"):
        model.sample(1, conditions={"id": int(ids.max()) + 1})


def test_labels_may_be_tuples_of_any_lengths(tiny):
    frame = pd.DataFrame({0: [1.0, 2.0] * 20, 1: ["a", "b"] * 20})
    frame.columns = pd.Index([("a", 1), ("b", 2, 3)], tupleize_cols=False)
    model = tiny().fit(frame)
    assert model.feature_names_in_.tolist() == [("a", 1), ("b", 2, 3)]
    drawn = model.sample(conditions=frame, random_state=0)
    pd.testing.assert_frame_equal(drawn, frame)
    pd.testing.assert_frame_equal(model.impute(frame), frame)


def test_a_tuple_is_one_value_where_tuples_are_categories(tiny):
    pairs = [(1, 2), (3, 4)]
    model = tiny().fit(pd.DataFrame({"pair": pairs * 20, "x": range(40)}))
    assert model.sample(3, conditions={"pair": (1, 2)}, random_state=0)["pair"].tolist() == [(1, 2)] * 3
    with pytest.raises(ValueError, match=r"'pair' has no category \(1, 9\)"):
        model.sample(3, conditions={"pair": (1, 9)})
    for found in (
        model.conditional("pair", {"x": 3}).probs,
        model.predict_proba("pair", model.sample(2)),
    ):
        assert found.columns.tolist() == pairs
        assert found.columns.nlevels == 1
