"""Draws: the joint distribution, its conditionals, the tail, temperature, and whose seed decides."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tables import (
    KINDS,
    LEVELS,
    joint_frequencies,
    joint_probabilities,
    joint_table,
    mixed_table,
)

from macode_plugin import MaCoDE
from macode_plugin.noise import BLOCK, RowNoise


def total_variation(p, q):
    return np.abs(p - q).sum() / 2


def shuffled(frame):
    """Return a table with the same columns, made independent of each other."""
    rng = np.random.default_rng(0)
    return frame.apply(lambda column: rng.permutation(column.to_numpy()))


def test_an_enumerated_joint_is_reproduced(joint_model):
    truth = joint_probabilities()
    drawn = joint_model.sample(20_000, random_state=1)
    # Of these .014 are expected from 20 000 drawn rows and .025 from 5000 training rows.
    assert total_variation(joint_frequencies(drawn), truth) < 0.07
    assert total_variation(joint_frequencies(shuffled(drawn)), truth) > 0.3


GIVEN = ({"a": "a0"}, {"b": "b0"}, {"c": "c2"}, {"a": "a1", "c": "c2"}, {"a": "a0", "b": "b1"})


@pytest.mark.parametrize("given", GIVEN, ids=str)
def test_the_joints_conditionals_are_reproduced(given, joint_model):
    drawn = joint_model.sample(8000, conditions=given, random_state=2)
    for name, value in given.items():
        assert (drawn[name] == value).all()
    cut = tuple(
        levels.index(given[name]) if name in given else slice(None)
        for name, levels in zip("abc", LEVELS)
    )
    truth, found = joint_probabilities()[cut], joint_frequencies(drawn)[cut]
    assert found.sum() == pytest.approx(1)
    assert total_variation(found, truth / truth.sum()) < 0.08
    unconditional = joint_probabilities().sum(axis=tuple("abc".index(name) for name in given))
    assert total_variation(unconditional, truth / truth.sum()) > 0.16


def test_conditions_by_row_give_each_row_its_own_conditional(joint_model):
    wanted = pd.DataFrame({"a": ["a0", "a1", None] * 4000})
    drawn = joint_model.sample(conditions=wanted, random_state=3)
    assert total_variation(joint_frequencies(drawn[wanted["a"].isna()]), joint_probabilities()) < 0.08
    for place, value in enumerate(LEVELS[0]):
        assert (drawn["a"][wanted["a"] == value] == value).all()
        found = joint_frequencies(drawn[wanted["a"] == value])[place]
        truth = joint_probabilities()[place]
        assert total_variation(found, truth / truth.sum()) < 0.08


def test_large_temperatures_tend_to_uniform(joint_model):
    drawn = joint_frequencies(joint_model.sample(20_000, temperature=1e6, random_state=4))
    assert total_variation(drawn, np.full((2, 3, 4), 1 / 24)) < 0.03
    assert total_variation(joint_probabilities(), np.full((2, 3, 4), 1 / 24)) > 0.3


def test_small_temperatures_tend_to_the_mode(joint_model):
    given = {"a": "a0", "b": "b1"}
    drawn = joint_model.sample(300, temperature=1e-3, conditions=given, random_state=5)
    most_likely = LEVELS[2][int(joint_probabilities()[0, 1].argmax())]
    assert set(drawn["c"]) == {most_likely}


@pytest.mark.parametrize("rules", [[], [("b", "in", ["b0", "b2"]), ("c", "in", ["c0", "c3"])]])
def test_no_temperature_is_too_small(joint_model, rules):
    cold, coldest = (
        joint_model.sample(200, temperature=temperature, constraints=rules, random_state=5)
        for temperature in (1e-20, 1e-320)
    )
    pd.testing.assert_frame_equal(cold, coldest)


def test_temperature_flattens_by_degrees(joint_model):
    def entropy(temperature):
        p = joint_frequencies(joint_model.sample(8000, temperature=temperature, random_state=6))
        return -(p[p > 0] * np.log(p[p > 0])).sum()

    entropies = [entropy(temperature) for temperature in (0.3, 1.0, 1.7, 4.0)]
    assert (np.diff(entropies) > 0.05).all()
    assert entropies[-1] < math.log(24)


def test_an_endless_temperature_is_uniform_or_refused(tiny):
    # Columns of 2 and 5 categories share one padded product.
    frame = pd.DataFrame({"two": list("ab") * 50, "five": list("vwxyz") * 20})
    model = tiny().fit(frame)
    try:
        drawn = model.sample(4000, temperature=math.inf, random_state=0)
    except ValueError as error:
        message = str(error)
    else:
        message = "temperature"
        assert drawn["two"].value_counts(normalize=True).to_numpy() == pytest.approx(0.5, abs=0.05)
        assert drawn["five"].value_counts(normalize=True).to_numpy() == pytest.approx(0.2, abs=0.05)
    assert "temperature" in message


def test_nothing_outside_the_training_values_is_drawn(mixed, mixed_model):
    drawn = mixed_model.sample(2000, temperature=50.0, random_state=0)
    for name in KINDS:
        seen = mixed[name].dropna()
        if mixed_model.table_[name].kind == "numeric":
            assert drawn[name].min() >= seen.min()
            assert drawn[name].max() <= seen.max()
        else:
            assert set(drawn[name]) == set(seen)


def test_a_drawn_frame_looks_like_the_training_frame(mixed, mixed_model):
    drawn = mixed_model.sample(7, random_state=0)
    assert drawn.columns.tolist() == mixed.columns.tolist()
    assert drawn.dtypes.tolist() == mixed.dtypes.tolist()
    assert drawn.index.tolist() == list(range(7))
    assert drawn.notna().all(axis=None)


def test_no_rows_have_the_right_dtypes(mixed, mixed_model):
    drawn = mixed_model.sample(0, random_state=0)
    assert drawn.shape == (0, len(KINDS))
    assert drawn.columns.tolist() == mixed.columns.tolist()
    assert drawn.dtypes.tolist() == mixed.dtypes.tolist()


@pytest.mark.parametrize("given", [{}, {"str": "red", "int": 3}], ids=["free", "given"])
def test_no_rows_under_conditions_have_the_right_dtypes(given, mixed, mixed_model):
    by_mapping = mixed_model.sample(0, conditions=given, random_state=0)
    by_frame = mixed_model.sample(conditions=mixed[list(given)].iloc[:0], random_state=0)
    for drawn in (by_mapping, by_frame):
        assert len(drawn) == 0
        assert drawn.dtypes.tolist() == mixed.dtypes.tolist()


def test_the_first_independent_rows_of_a_large_draw_are_the_small_draw(form, tiny):
    model = tiny(network=form, stratified=False).fit(mixed_table()[["int", "float", "str", "str_na"]])
    large, small = model.sample(1000, random_state=3), model.sample(100, random_state=3)
    pd.testing.assert_frame_equal(large.head(100), small)
    assert not large.tail(100).reset_index(drop=True).equals(small)


def test_independent_rows_do_not_depend_on_how_many_are_drawn_at_once(form, tiny, monkeypatch):
    model = tiny(network=form, stratified=False).fit(mixed_table()[["int", "float", "str", "str_na"]])
    at_once = model.sample(700, random_state=3)
    monkeypatch.setattr("macode_plugin.sampling.MEMORY", 1)
    pd.testing.assert_frame_equal(model.sample(700, random_state=3), at_once)


def test_an_independent_rows_draw_does_not_depend_on_the_other_rows_conditions(mixed, tiny):
    model = tiny(stratified=False).fit(mixed)
    given = mixed[["str", "int"]].head(40)
    other = given.copy()
    other.loc[20:, "str"] = "blue"
    one, two = (model.sample(conditions=frame, random_state=4) for frame in (given, other))
    pd.testing.assert_frame_equal(one.head(20), two.head(20))
    assert not one.tail(20).equals(two.tail(20))


def test_rows_are_not_alike(tiny):
    model = tiny().fit(pd.DataFrame({"x": np.random.default_rng(0).normal(size=300)}))
    drawn = model.sample(2000, random_state=0)["x"]
    assert drawn.nunique() > 1990
    correlation = np.corrcoef(drawn[:-1], drawn[1:])[0, 1]
    assert abs(correlation) < 4 / 2000**0.5


def test_the_seed_of_a_draw_decides(mixed_model):
    one, two, other = (mixed_model.sample(20, random_state=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)
    large = 2**63 + 11
    pd.testing.assert_frame_equal(
        mixed_model.sample(5, random_state=large), mixed_model.sample(5, random_state=np.uint64(large))
    )


def test_draws_without_a_seed_differ_and_the_series_is_the_constructors(tiny):
    frame = mixed_table()[["float", "str"]]
    series = [[model.sample(30) for _ in range(3)] for model in (tiny().fit(frame), tiny().fit(frame))]
    for one, two in zip(*series):
        pd.testing.assert_frame_equal(one, two)
    first, second, third = series[0]
    assert not first.equals(second)
    assert not second.equals(third)
    assert not first.equals(tiny(random_state=1).fit(frame).sample(30))


def test_a_seeded_draw_does_not_move_the_series(tiny):
    frame = mixed_table()[["float", "str"]]
    one, two = tiny().fit(frame), tiny().fit(frame)
    one.sample(10, random_state=3)
    pd.testing.assert_frame_equal(one.sample(10), two.sample(10))


SMALL_TABLES = {
    "one row": pd.DataFrame({"x": [1.5], "s": ["only"], "day": pd.to_datetime(["2020-02-29"])}),
    "one cell": pd.DataFrame({"x": [3]}),
    "two rows": pd.DataFrame({"x": [1, 2], "s": ["a", "b"]}),
    "constants": pd.DataFrame({"x": [7.0] * 30, "s": ["a"] * 30, "n": [3] * 30}),
    "one value": pd.DataFrame({"x": [None] * 9 + [2.25], "y": range(10), "s": [None] * 9 + ["s"]}),
}


@pytest.mark.parametrize("name", SMALL_TABLES)
@pytest.mark.parametrize("missing", ["mask", "model"])
def test_the_smallest_tables(name, missing, form, tiny):
    frame = SMALL_TABLES[name]
    drawn = tiny(network=form, missing=missing).fit(frame).sample(40, random_state=0)
    assert drawn.dtypes.tolist() == frame.dtypes.tolist()
    for column in frame:
        assert set(drawn[column].dropna()) <= set(frame[column].dropna())
        if missing == "mask" or frame[column].notna().all():
            assert drawn[column].notna().all()


@pytest.mark.parametrize("start", [0, 1, 255, 256, 300])
def test_a_rows_numbers_are_the_same_in_any_batch(start):
    noise = RowNoise(seed=9, width=3)
    everything = noise.rows(0, 900)
    assert everything.shape == (900, 3)
    for stop in (start, start + 1, start + 257, start + 600):
        assert (noise.rows(start, stop) == everything[start:stop]).all()
        assert noise.rows(start, stop).shape == (stop - start, 3)


def test_rows_numbers_are_uniform_and_seeded():
    numbers = RowNoise(seed=9, width=4).rows(0, 5000)
    assert 0 <= numbers.min() < numbers.max() < 1
    assert len(np.unique(numbers)) == numbers.size
    assert np.histogram(numbers, 10, (0, 1))[0] / numbers.size == pytest.approx(0.1, abs=0.01)
    assert np.corrcoef(numbers, rowvar=False) == pytest.approx(np.eye(4), abs=0.05)
    assert (RowNoise(seed=10, width=4).rows(0, 100) != numbers[:100]).all()


def test_streams_have_no_numbers_in_common():
    streams = [RowNoise(seed=9, width=4, stream=k).rows(0, 5 * BLOCK) for k in range(4)]
    assert len(np.unique(streams)) == 4 * 5 * BLOCK * 4


def spread(frame):
    """Return how much the counts of each level of column a vary from block to block, 1 by chance."""
    levels = pd.get_dummies(frame["a"]).to_numpy(dtype=float)
    counts = levels.reshape(-1, BLOCK, levels.shape[1]).sum(axis=1)
    share = levels.mean(axis=0)
    return counts.var(axis=0, ddof=1) / (BLOCK * share * (1 - share))


def test_rows_of_the_published_method_vary_as_independent_ones_do(tiny):
    assert not MaCoDE.paper().stratified
    model = tiny(stratified=False).fit(joint_table(500))
    assert spread(model.sample(80 * BLOCK, random_state=1)) == pytest.approx(1, abs=0.4)


def test_imputed_rows_vary_as_independent_ones_do(joint_model):
    empty = joint_model.sample(1, random_state=0).reindex(range(80 * BLOCK))
    empty = empty.assign(a=None, b=None, c=None)
    assert spread(joint_model.impute(empty, random_state=1)) == pytest.approx(1, abs=0.4)
