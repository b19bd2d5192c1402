"""Imputation: only gaps change, and they are drawn jointly from what the rest says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tables import equals, joint_frequencies, joint_probabilities, joint_table, mixed_table


def with_gaps(frame, rate=0.3, seed=0):
    rng = np.random.default_rng(seed)
    gone = rng.random(frame.shape) < rate
    return pd.DataFrame(
        {name: frame[name].mask(gone[:, j]) for j, name in enumerate(frame)}, index=frame.index
    )


def test_only_gaps_change(mixed_model):
    frame = with_gaps(mixed_table(30, seed=4)).set_axis([f"r{i % 11}" for i in range(30)])
    before = frame.copy(deep=True)
    for filled in mixed_model.multiple_impute(frame, 2, random_state=0):
        pd.testing.assert_frame_equal(frame, before)
        assert not filled.isna().any().any()
        pd.testing.assert_series_equal(filled.dtypes, frame.dtypes)
        assert filled.index.tolist() == frame.index.tolist()
        for name in frame:
            assert (equals(filled[name], frame[name]) | frame[name].isna().to_numpy()).all()


def test_values_come_from_the_training_range(mixed_model):
    everything = with_gaps(mixed_table(30, seed=4), rate=1.0)
    filled = mixed_model.impute(everything, random_state=0)
    training = mixed_table()
    for name in ("str", "ordered", "bool", "arrow_string"):
        assert set(filled[name]) <= set(training[name].dropna())
    for name in ("int", "price", "datetime", "Int64_na"):
        assert filled[name].between(training[name].min(), training[name].max()).all()


def test_gaps_of_a_row_are_drawn_jointly(joint_model):
    empty = pd.DataFrame({name: pd.Series([None] * 6000, dtype=object) for name in "abc"})
    found = joint_frequencies(joint_model.impute(empty, random_state=1))
    assert np.abs(found - joint_probabilities()).sum() / 2 < 0.08
    independent = np.einsum("a,b,c->abc", found.sum((1, 2)), found.sum((0, 2)), found.sum((0, 1)))
    assert np.abs(independent - joint_probabilities()).sum() / 2 > 0.2


def test_gaps_depend_on_what_is_observed(joint_model):
    frame = joint_table(8000, seed=12).assign(b=pd.Series([None] * 8000, dtype=object))
    filled = joint_model.impute(frame, random_state=1)
    truth = joint_probabilities()
    given = truth / truth.sum(axis=1, keepdims=True)
    found = joint_frequencies(filled)
    found /= found.sum(axis=1, keepdims=True)

    def off(conditional):  # total variation, over the cells of a and c by their probability
        return (np.abs(conditional - given).sum(axis=1) / 2 * truth.sum(axis=1)).sum()

    assert off(found) < 0.1
    assert off(truth.sum(axis=(0, 2))[:, None]) > 0.2


def test_copies_differ_and_the_first_ones_stay(joint_model):
    frame = with_gaps(joint_table(60, seed=13))
    few = joint_model.multiple_impute(frame, 2, random_state=5)
    many = joint_model.multiple_impute(frame, 6, random_state=5)
    assert len(many) == 6
    for one, other in zip(few, many, strict=False):
        pd.testing.assert_frame_equal(one, other)
    assert not many[0].equals(many[1])
    pd.testing.assert_frame_equal(joint_model.impute(frame, random_state=5), many[0])
    assert not joint_model.impute(frame).equals(joint_model.impute(frame))


def test_a_complete_frame_and_an_empty_one_come_back(joint_model):
    frame = joint_table(10)
    pd.testing.assert_frame_equal(joint_model.impute(frame), frame)
    pd.testing.assert_frame_equal(joint_model.impute(frame.iloc[:0]), frame.iloc[:0])


def test_columns_may_be_left_out_and_reordered(mixed_model):
    frame = with_gaps(mixed_table(20, seed=5))[["price", "str", "int"]]
    filled = mixed_model.impute(frame, random_state=0)
    assert list(filled.columns) == ["price", "str", "int"]
    assert not filled.isna().any().any()


def test_a_model_of_missingness_imputes_values(tiny):
    frame = with_gaps(joint_table(400), rate=0.5)
    filled = tiny(missing="model").fit(frame).impute(frame, random_state=0)
    assert not filled.isna().any().any()
    assert equals(filled["a"], frame["a"])[frame["a"].notna()].all()


@pytest.mark.parametrize("rate", [0.3, 0.9])
def test_incomplete_training_tables_of_every_kind(tiny, rate):
    frame = with_gaps(mixed_table(200), rate=rate)
    frame.iloc[:5] = frame.iloc[:5].mask(np.ones((5, frame.shape[1]), dtype=bool))
    filled = tiny().fit(frame).impute(frame, random_state=0)
    assert not filled.isna().any().any()


def test_a_column_without_any_value_is_named(tiny):
    frame = joint_table(60).assign(empty=np.nan)
    model = tiny(missing="model").fit(frame)
    with pytest.raises(ValueError, match="'empty' had no value"):
        model.impute(frame)
    with pytest.raises(ValueError, match="'empty' had no value"):
        model.conditional("empty")
    assert model.impute(frame[["a", "b"]]).equals(frame[["a", "b"]])


def test_a_column_without_values_in_the_frame_comes_back_as_in_training(mixed_model):
    names = ["str", "datetime", "ordered"]
    row = pd.DataFrame({name: [np.nan] for name in names}, index=["only"])
    filled = mixed_model.impute(row, random_state=0)
    assert filled.notna().all(axis=None)
    assert filled.index.tolist() == ["only"]
    training = mixed_table()[names]
    pd.testing.assert_series_equal(filled.dtypes, training.dtypes)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        ("float", "float32"),
        ("float", "Float64"),
        ("int", "float64"),
        ("int", "Int32"),
        ("str", pd.CategoricalDtype(["blue", "green", "grey", "red"])),
    ],
)
def test_dtypes_do_not_depend_on_the_other_rows_of_a_frame(name, dtype, mixed_model):
    column = mixed_table()[name].iloc[:2].astype(dtype)
    column.iloc[1] = None
    for rows in (column, column.iloc[[1]]):
        filled = mixed_model.impute(rows.to_frame(), random_state=0)[name]
        assert filled.notna().all()
        assert filled.dtype == dtype


SPARSE = {
    "filled with 0": pd.SparseDtype("float64", 0.0),
    "filled with NaN": pd.SparseDtype("float64"),
    "single precision": pd.SparseDtype("float32"),
    "text": pd.SparseDtype(object),
}


@pytest.mark.parametrize("name", SPARSE)
def test_gaps_of_sparse_columns_are_filled_and_they_stay_sparse(tiny, name):
    rng = np.random.default_rng(0)
    cells = rng.choice(["a", "b"], 200) if name == "text" else rng.integers(0, 4, 200) * rng.random(200)
    dense = pd.Series(cells, dtype=object if name == "text" else None).mask(rng.random(200) < 0.3)
    frame = pd.DataFrame({"x": dense.astype(SPARSE[name]), "y": rng.normal(size=200)})
    before = frame.copy(deep=True)
    for filled in tiny().fit(frame).multiple_impute(frame, 2, random_state=0):
        pd.testing.assert_frame_equal(frame, before)
        assert filled["x"].dtype == frame["x"].dtype
        assert filled["x"].notna().all()
        assert equals(filled["x"], frame["x"])[dense.notna()].all()
        assert len(set(filled["x"][dense.isna()])) > 1
    model = tiny().fit(frame)
    for nothing in (SPARSE[name], pd.SparseDtype("float64")):
        gone = frame.head(4).assign(x=pd.Series([np.nan] * 4).astype(nothing))
        assert model.impute(gone)["x"].notna().all()


def test_categories_that_the_frame_does_not_list_are_drawn_too(mixed_model):
    colours = pd.Categorical(["red"] + [None] * 60)
    filled = mixed_model.impute(pd.DataFrame({"str": colours}), random_state=0)["str"]
    assert filled.notna().all()
    assert set(filled) == {"red", "green", "blue"}
    assert filled.iloc[0] == "red"
    assert list(colours.categories) == ["red"]


def test_a_dtype_that_cannot_hold_what_is_drawn_is_named(mixed_model):
    whole = pd.DataFrame({"float": pd.array([1, None], dtype="Int64")})
    with pytest.raises(ValueError, match=r"'float' is of dtype Int64, which cannot hold .* float64"):
        mixed_model.impute(whole, random_state=0)


def test_columns_without_values_in_training_leave_the_others_alone(tiny):
    frame = joint_table(60).assign(empty=np.nan, nothing=pd.Series([None] * 60, dtype=object))
    model = tiny(missing="model").fit(frame)
    gaps = with_gaps(frame[["a", "b"]])
    assert model.impute(gaps, random_state=0).notna().all(axis=None)
    with pytest.raises(ValueError, match="'empty' had no value"):
        model.sample(3, constraints=[("empty", ">", 0)])


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "category": ("str", ["purple", None, "red"]),
        "declared category": ("ordered", pd.Categorical(["never", None, "low"])),
        "fraction": ("int", [2.5, None, 3.0]),
    }.values(),
)
def test_values_that_training_did_not_show_stay_and_say_nothing(mixed_model, name, values):
    frame = mixed_table(3).drop(columns=name).assign(float=np.nan, **{name: values})
    with pytest.warns(UserWarning, match=f"'{name}' holds values .* such as") as warned:
        filled = mixed_model.impute(frame, random_state=0)
    assert len(warned) == 1
    assert filled[name].iloc[[0, 2]].tolist() == [values[0], values[2]]
    assert filled[name].notna().all()
    blank = frame.assign(**{name: pd.Series(values).mask([True, False, False])})
    again = mixed_model.impute(blank, random_state=0)
    pd.testing.assert_series_equal(filled["float"], again["float"])


def test_bad_frames_are_refused(joint_model):
    with pytest.raises(ValueError, match="no column 'd'"):
        joint_model.impute(pd.DataFrame({"d": [None]}))
    with pytest.raises(ValueError, match="m must be a whole number, at least 1, however: m="):
        joint_model.multiple_impute(joint_table(3), 0)
    with pytest.raises(Exception, match="not fitted"):
        type(joint_model)().impute(joint_table(3))
