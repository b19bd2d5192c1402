"""Frames as token matrices and back; frames that cannot be learned from."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest
from tables import KINDS, equals

from macode_plugin.columns import FREE
from macode_plugin.table import Table


def redrawn(table, tokens):
    return table.decode(tokens, np.random.default_rng(0).random(tokens.shape))


def test_the_frame_is_not_modified(mixed, tiny):
    before = mixed.copy(deep=True)
    model = tiny().fit(mixed)
    model.sample(len(mixed), conditions=mixed[["int", "str_na"]], random_state=0)
    pd.testing.assert_frame_equal(mixed, before)


def test_a_decoded_frame_has_the_training_columns_order_and_dtypes(mixed):
    table = Table.fit(mixed, n_bins=10)
    again = redrawn(table, np.maximum(table.encode(mixed), 0))
    assert again.columns.tolist() == list(KINDS)
    assert again.dtypes.tolist() == mixed.dtypes.tolist()


def test_tokens_of_decoded_tokens_are_the_tokens(mixed):
    exact = mixed.drop(columns=["price", "float32", "arrow_decimal"])
    table = Table.fit(exact, n_bins=10)
    tokens = np.maximum(table.encode(exact), 0)
    assert (table.encode(redrawn(table, tokens)) == tokens).all()


@pytest.mark.filterwarnings("ignore:.*like an identifier")
def test_categories_come_back_as_they_were(mixed):
    table = Table.fit(mixed, categorical_columns=list(KINDS))
    tokens = table.encode(mixed)
    again = redrawn(table, np.maximum(tokens, 0))
    for j, name in enumerate(mixed):
        assert (equals(again[name], mixed[name]) | (tokens[:, j] == FREE)).all()


def test_a_table_survives_json(mixed):
    mixed.columns.name = "fields"
    table = Table.fit(mixed, n_bins=10, model_missing=True)
    spec, arrays = table.to_json()
    again = Table.from_json(json.loads(json.dumps(spec)), arrays)
    tokens = table.encode(mixed, missing_is_token=True)
    assert (tokens != FREE).all()
    pd.testing.assert_frame_equal(redrawn(again, tokens), redrawn(table, tokens))
    assert (again.encode(mixed, missing_is_token=True) == tokens).all()
    assert again.vocabulary.sizes == table.vocabulary.sizes


ODD_NAMES = [0, -3, 2.5, True, "", " a b ", 'quote"\\', "é日本", "a.b", ("x", 1), pd.Timestamp("2020")]


@pytest.mark.parametrize("name", ODD_NAMES, ids=repr)
def test_any_label_names_a_column(name, tiny, tmp_path):
    frame = pd.DataFrame({"first": [1, 2] * 10, "last": ["a", "b"] * 10})
    frame.insert(1, "odd", [0.5, 1.5, 2.5, 3.5] * 5)
    labels = pd.Index(["first", name, "last"], dtype=object, tupleize_cols=False)
    frame.columns = labels
    model = tiny().fit(frame)
    model.save(tmp_path / "model")
    for one in (model, type(model).load(tmp_path / "model")):
        drawn = one.sample(4, conditions={name: 2.5}, random_state=0)
        assert drawn.columns.tolist() == labels.tolist()
        assert drawn.iloc[:, 1].tolist() == [2.5] * 4
        assert drawn.dtypes.tolist() == frame.dtypes.tolist()


def test_integer_labels_stay_integers(tiny):
    frame = pd.DataFrame(np.arange(60).reshape(20, 3) % 7)
    drawn = tiny().fit(frame).sample(5, random_state=0)
    assert drawn.columns.tolist() == [0, 1, 2]
    assert drawn.columns.inferred_type == "integer"


def test_the_column_index_keeps_its_name(tiny):
    frame = pd.DataFrame({"a": [1, 2] * 10, "b": [3, 4] * 10}).rename_axis(columns="fields")
    assert tiny().fit(frame).sample(2, random_state=0).columns.name == "fields"


def test_the_row_index_is_fresh(tiny):
    frame = pd.DataFrame({"a": [1, 2] * 10}, index=[f"row {i}" for i in range(20)])
    assert tiny().fit(frame).sample(3, random_state=0).index.tolist() == [0, 1, 2]


def with_columns(frame, names):
    frame.columns = names
    return frame


plain = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
BAD_FRAMES = {
    "no rows": (plain.iloc[:0], ValueError, "0 rows and 2 columns"),
    "no columns": (plain[[]], ValueError, "2 rows and 0 columns"),
    "a name twice": (with_columns(plain.copy(), ["a", "a"]), ValueError, "'a' occurs more than once"),
    "two levels": (
        with_columns(plain.copy(), pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
        ValueError,
        "several levels",
    ),
    "an array": (np.zeros((3, 2)), TypeError, "expected a pandas DataFrame, got ndarray"),
    "a series": (plain["a"], TypeError, "got Series"),
    "infinity": (pd.DataFrame({"a": [1.0, np.inf, 2.0]}), ValueError, "'a' holds inf in 1 cell"),
    "nothing": (pd.DataFrame({"a": [1, 2], "b": [None, None]}), ValueError, "'b' has no value at all"),
    "mixed types": (
        pd.DataFrame({"a": [1, 2], "b": ["x", 7]}, dtype=object),
        TypeError,
        r"'b' mixes str \('x'\) and int \(7\)",
    ),
    "lists": (pd.DataFrame({"a": [[1], [2]]}), TypeError, r"'a' holds values that cannot be.*list"),
    "dicts": (pd.DataFrame({"a": [{"k": 1}, {}]}), TypeError, r"'a' holds values that cannot be.*dict"),
    "complex": (pd.DataFrame({"a": [1, 2], "z": [1j, 2.0]}), TypeError, "'z'.*complex"),
    "complex objects": (pd.DataFrame({"z": [1j, 2j]}, dtype=object), TypeError, "'z'"),
    "beyond int64": (
        pd.DataFrame({"a": np.array([1, 2**63], dtype=np.uint64)}),
        ValueError,
        "'a' holds 9223372036854775808",
    ),
}


@pytest.mark.parametrize("name", BAD_FRAMES)
def test_a_bad_frame_is_refused_by_name(name, tiny):
    frame, error, message = BAD_FRAMES[name]
    with pytest.raises(error, match=message):
        tiny().fit(frame)


def test_one_label_is_not_a_list_of_letters(tiny):
    with pytest.raises(TypeError, match="must be a list of labels, however: 'ab'"):
        tiny().fit(pd.DataFrame({"ab": [1, 2] * 10}), categorical_columns="ab")


def test_unknown_categorical_columns_are_named(tiny):
    with pytest.raises(ValueError, match=r"categorical_columns names 'colour'.*columns: 'a', 'b'"):
        tiny().fit(plain, categorical_columns=["a", "colour"])


def test_integers_beyond_int64_in_objects_are_categories(tiny):
    drawn = tiny().fit(pd.DataFrame({"a": [2**70, 1] * 20}, dtype=object)).sample(20, random_state=0)
    assert set(drawn["a"]) == {2**70, 1}


def test_dates_of_four_centuries_are_no_identifiers(tiny):
    days = pd.Series(pd.date_range("1700-01-01", "2200-01-01", periods=60).normalize())
    drawn = tiny().fit(pd.DataFrame({"day": days.astype("datetime64[ns]")})).sample(30, random_state=0)
    assert drawn["day"].between(days.min(), days.max()).all()
    assert (drawn["day"] == drawn["day"].dt.normalize()).all()


def test_a_column_without_a_label_is_refused_or_saved(tiny, tmp_path):
    frame = pd.DataFrame({None: [1, 2] * 10})
    try:
        model = tiny().fit(frame)
    except (TypeError, ValueError) as error:
        problem = str(error)
    else:
        model.save(tmp_path / "model")
        problem = f"label {type(model).load(tmp_path / 'model').sample(1).columns[0]}"
    assert "label None" in problem


def test_columns_of_one_type_in_objects_are_fine(tiny):
    frame = pd.DataFrame({"n": [1, 2.5] * 10, "s": ["x", None] * 10}, dtype=object)
    drawn = tiny().fit(frame).sample(5, random_state=0)
    assert set(drawn["n"]) <= {1, 2.5}
    assert set(drawn["s"]) == {"x"}


def test_categorical_columns_take_numbers_as_they_are(tiny):
    frame = pd.DataFrame({"code": [11, 70, 5000] * 10, "x": np.arange(30.0)})
    model = tiny().fit(frame, categorical_columns=["code"])
    assert set(model.sample(50, random_state=0, temperature=100.0)["code"]) == {11, 70, 5000}
    with pytest.raises(ValueError, match="no category 12"):
        model.sample(1, conditions={"code": 12})


def test_a_column_like_an_identifier_brings_a_warning(tiny):
    frame = pd.DataFrame({"who": [f"person {i}" for i in range(120)], "x": np.arange(120)})
    with pytest.warns(UserWarning, match=r"'who' has 120 categories in 120 rows"):
        tiny().fit(frame)


def test_ordinary_columns_bring_no_warning(mixed, tiny):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        tiny(n_bins=500).fit(mixed)
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((0, 0, 0), (False, False, False)),
        ((0, 5, 34), (False, True, True)),
        ((34, 50, 5), (True, True, False)),
        ((5, 50, 5), (False, True, False)),
    ],
)
def test_columns_with_more_gaps_than_the_most_complete_are_incomplete(gaps, expected):
    columns = {str(j): np.r_[np.full(n, np.nan), np.arange(100.0 - n)] for j, n in enumerate(gaps)}
    frame = pd.DataFrame(columns)
    assert Table.fit(frame).incomplete.tolist() == list(expected)
    assert not Table.fit(frame, model_missing=True).incomplete.any()


@pytest.mark.parametrize("missing_is_token", [False, True])
def test_encoding_a_part_leaves_the_other_columns_free(mixed, missing_is_token):
    table = Table.fit(mixed, model_missing=True)
    tokens = table.encode(mixed[["str", "int"]], missing_is_token=missing_is_token)
    given = [table.place("int"), table.place("str")]
    assert (tokens[:, given] != FREE).all()
    assert (np.delete(tokens, given, axis=1) == FREE).all()


def test_a_column_that_the_table_lacks_is_named(mixed):
    with pytest.raises(ValueError, match=r"no column 'height'; its columns: 'int'"):
        Table.fit(mixed).encode(pd.DataFrame({"height": [1]}))
