"""Tables with missing cells: learned around ("mask"), or learned as such ("model")."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from tables import KINDS, mixed_table

from macode_plugin.columns import FREE


def incomplete(frame, share=0.25, seed=0):
    """Return a table in which a share of every column's cells is missing, in nullable dtypes."""
    rng = np.random.default_rng(seed)
    nullable = {"int": "Int64", "int_gaps": "Int64", "uint8": "UInt8", "bool": "boolean"}
    frame = frame.astype({name: dtype for name, dtype in nullable.items() if name in frame})
    holes = pd.DataFrame(rng.random(frame.shape) < share, index=frame.index, columns=frame.columns)
    return pd.concat([frame[name].mask(holes[name]) for name in frame], axis=1)


@pytest.fixture(scope="module")
def holed():
    frame = incomplete(mixed_table(300))
    assert frame.isna().any().all()
    return frame


def test_masked_every_kind_of_column_is_completed(holed, form, tiny):
    drawn = tiny(network=form, missing="mask").fit(holed).sample(400, random_state=0)
    assert drawn.notna().all(axis=None)
    assert drawn.dtypes.tolist() == holed.dtypes.tolist()
    assert drawn.columns.tolist() == list(KINDS)


def test_modelled_every_kind_of_column_keeps_its_missing_rate(holed, form, tiny):
    training = {"epochs": 15, "lr": 1e-2, "ema_decay": 0.9, "validation_fraction": 0.0}
    model = tiny(network=form, missing="model", **training).fit(holed)
    drawn = model.sample(1500, random_state=0)
    assert drawn.dtypes.tolist() == holed.dtypes.tolist()
    for name in KINDS:
        assert drawn[name].isna().mean() == pytest.approx(holed[name].isna().mean(), abs=0.1), name


@pytest.fixture(params=["Float64", "arrow"])
def not_a_number(request):
    """A table with NaN in a column whose missing cells are something else to pandas."""
    numbers = np.random.default_rng(0).normal(size=120)
    if request.param == "arrow":
        numbers = pa.array(np.where(np.arange(120) < 20, np.nan, numbers))
        column = pd.Series(pd.arrays.ArrowExtensionArray(numbers))
    else:
        share = pd.Series(np.arange(120) >= 20, dtype="Float64")
        column = share / share * pd.Series(numbers, dtype="Float64")
    return pd.DataFrame({"x": column, "y": np.arange(120) % 3})


def test_nan_is_a_gap_in_columns_that_have_another_mark_for_missing(not_a_number, tiny):
    model = tiny(missing="mask").fit(not_a_number)
    unknown = model.table_.encode(not_a_number)[:, 0] == FREE
    assert unknown.tolist() == [True] * 20 + [False] * 100
    filled = model.impute(not_a_number, random_state=0)["x"].to_numpy(dtype=float)
    assert np.isfinite(filled).all()
    given = model.sample(conditions=not_a_number, random_state=0)["x"].to_numpy(dtype=float)
    assert np.isfinite(given).all()
    modelled = tiny(missing="model").fit(not_a_number).table_["x"]
    assert modelled.n_missing == 20


def test_given_rows_are_completed(holed, tiny):
    model = tiny(missing="mask").fit(holed)
    complete = model.sample(conditions=holed, random_state=0)
    assert complete.notna().all(axis=None)
    for name in KINDS:
        known = holed[name].notna()
        assert complete.loc[known, name].tolist() == holed.loc[known, name].tolist()


@pytest.fixture(scope="module")
def dependent():
    """A table where b is missing in 60 % of the rows with a = "often", in 5 % of the others."""
    rng = np.random.default_rng(3)
    a = rng.choice(["often", "seldom"], 1500)
    b = pd.Series(rng.normal(size=1500)).mask(rng.random(1500) < np.where(a == "often", 0.6, 0.05))
    return pd.DataFrame({"a": a, "b": b})


def missing_rates(frame):
    return frame["b"].isna().groupby(frame["a"]).mean().to_dict()


def test_modelled_missingness_keeps_its_dependence(dependent, form, tiny):
    model = tiny(network=form, missing="model", epochs=50, lr=2e-3, ema_decay=0.9).fit(dependent)
    drawn = model.sample(6000, random_state=0)
    assert missing_rates(drawn) == pytest.approx(missing_rates(dependent), abs=0.05)
    given = model.sample(3000, conditions={"a": "often"}, random_state=1)
    assert given["b"].isna().mean() == pytest.approx(0.6, abs=0.05)
    assert given["b"].dropna().std() == pytest.approx(1, abs=0.15)


@pytest.fixture(scope="module")
def at_random():
    """A table missing at random: b is mostly missing where a is "high", and its values large there."""
    rng = np.random.default_rng(4)
    a = rng.choice(["high", "low"], 2000)
    b = np.where(a == "high", 10, 0) + rng.integers(0, 3, 2000)
    gone = rng.random(2000) < np.where(a == "high", 0.8, 0.0)
    return pd.DataFrame({"a": a, "b": pd.Series(b, dtype="Int64").mask(gone)})


@pytest.fixture(scope="module")
def at_random_model(at_random, form, tiny):
    training = {"epochs": 15, "lr": 1e-2, "ema_decay": 0.9, "validation_fraction": 0.0}
    return tiny(network=form, **training).fit(at_random)


def test_masked_cells_are_completed_by_those_of_rows_like_them(at_random, at_random_model):
    complete = at_random_model.sample(conditions=at_random, random_state=0)
    filled = complete[at_random["b"].isna()]
    assert set(filled["a"]) == {"high"}
    assert filled["b"].ge(10).mean() > 0.97
    shares = filled["b"].value_counts(normalize=True)
    assert shares.loc[[10, 11, 12]].to_numpy() == pytest.approx(1 / 3, abs=0.08)


def test_masked_tables_are_drawn_as_if_nothing_had_been_missing(at_random, tiny):
    # The default network's law; the published loss counts rows with gaps too often here.
    training = {"epochs": 15, "lr": 1e-2, "ema_decay": 0.9, "validation_fraction": 0.0}
    drawn = tiny(network="causal", **training).fit(at_random).sample(4000, random_state=0)
    assert (drawn["b"].ge(10) == (drawn["a"] == "high")).mean() > 0.95
    # Half of the rows are high, though only one in six of the observed b is.
    assert at_random["b"].ge(10).mean() < 0.2
    assert drawn["a"].eq("high").mean() == pytest.approx(0.5, abs=0.05)


def test_rows_without_any_value_teach_nothing(form, tiny):
    frame = incomplete(mixed_table(200)[["int", "str", "float"]])
    nothing = frame.mask(np.ones(frame.shape, dtype=bool)).head(50).astype(frame.dtypes)
    model = tiny(network=form).fit(frame)
    padded = tiny(network=form).fit(pd.concat([frame, nothing], ignore_index=True))
    assert nothing.isna().all(axis=None)
    pd.testing.assert_frame_equal(padded.sample(50, random_state=0), model.sample(50, random_state=0))


def test_modelled_rows_without_any_value_are_drawn(tiny):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=600), "s": rng.choice(["a", "b"], 600)})
    frame = frame.mask(np.repeat(rng.random(600) < 0.3, 2).reshape(600, 2))
    model = tiny(missing="model", epochs=20, lr=1e-2, ema_decay=0.9).fit(frame)
    drawn = model.sample(2000, random_state=0)
    empty = drawn.isna().all(axis=1).mean()
    assert empty == pytest.approx(frame.isna().all(axis=1).mean(), abs=0.07)
    assert (drawn["x"].isna() == drawn["s"].isna()).mean() > 0.95


@pytest.mark.parametrize(
    "nothing",
    [
        pd.Series([None] * 40, dtype=object),
        pd.Series([np.nan] * 40),
        pd.Series([None] * 40, dtype="Int64"),
        pd.Series(pd.to_datetime([None] * 40)),
        pd.Series([None] * 40, dtype="string"),
        pd.Series(pd.Categorical([None] * 40, categories=["a", "b"])),
        pd.Series([None] * 40, dtype="boolean"),
        pd.Series([None] * 40, dtype="float64[pyarrow]"),
    ],
    ids=lambda series: str(series.dtype),
)
def test_a_column_without_any_value(nothing, tiny, tmp_path):
    frame = pd.DataFrame({"x": range(40), "void": nothing})
    with pytest.raises(ValueError, match=r"'void' has no value at all.*missing='model'"):
        tiny(missing="mask").fit(frame)
    model = tiny(missing="model").fit(frame)
    model.save(tmp_path / "model")
    for one in (model, type(model).load(tmp_path / "model")):
        drawn = one.sample(10, random_state=0)
        assert drawn["void"].isna().all()
        assert drawn["void"].dtype == nothing.dtype
        with pytest.raises(ValueError, match="'void'"):
            one.sample(1, conditions={"void": "a"})


def test_modelled_only_where_training_misses_cells(tiny, holed):
    frame = holed[["int", "str"]].assign(whole=np.arange(300) % 4)
    model = tiny(missing="model").fit(frame)
    assert model.sample(500, random_state=0, temperature=100.0)["whole"].notna().all()


def test_a_masked_column_without_missing_cells_in_a_dtype_without_missing_values(tiny):
    frame = pd.DataFrame({"n": np.arange(40), "flag": np.arange(40) % 3 == 0})
    for missing in ("mask", "model"):
        drawn = tiny(missing=missing).fit(frame).sample(9, random_state=0)
        assert drawn.dtypes.tolist() == frame.dtypes.tolist()


def test_plain_booleans_with_missing_cells(tiny):
    frame = pd.DataFrame({"flag": [True, False, None, True] * 20, "x": range(80)})
    assert set(tiny(missing="mask").fit(frame).sample(60, random_state=0)["flag"]) == {True, False}
    drawn = tiny(missing="model").fit(frame).sample(60, random_state=0)["flag"]
    assert set(drawn.dropna()) == {True, False}
    assert drawn.isna().any()


def test_columns_that_are_never_missing_are_complete_and_leave_the_others_as_they_are(tiny):
    frame = incomplete(mixed_table(300))[["float", "int", "str"]]
    model = tiny(missing="model", epochs=15, lr=1e-2, ema_decay=0.9).fit(frame)
    plain = model.sample(2000, random_state=0)
    drawn = model.sample(2000, never_missing=["int"], random_state=0)
    assert plain["int"].isna().any()
    assert drawn["int"].notna().all()
    rates = drawn[["float", "str"]].isna().mean()
    assert rates.to_numpy() == pytest.approx(plain[["float", "str"]].isna().mean().to_numpy(), abs=0.05)
    given = model.sample(3, conditions={"int": 5}, never_missing=["int"], random_state=0)
    assert (given["int"] == 5).all()
    with pytest.raises(ValueError, match="'none'"):
        model.sample(1, never_missing=["none"])


def test_columns_without_gaps_may_be_never_missing(tiny):
    frame = mixed_table(200)[["float", "str"]].dropna()
    for missing in ("mask", "model"):
        model = tiny(missing=missing).fit(frame)
        assert model.sample(50, never_missing=["float"], random_state=0)["float"].notna().all()
