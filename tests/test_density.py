"""Likelihoods of rows."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp
from tables import LEVELS, joint_probabilities, joint_table, mixed_table

from macode_plugin import sampling


def every_cell():
    return pd.DataFrame(list(itertools.product(*LEVELS)), columns=list("abc"))


def test_probabilities_of_all_rows_sum_to_one(joint_model):
    assert np.exp(joint_model.log_prob(every_cell())).sum() == pytest.approx(1, abs=1e-5)


def test_the_joint_is_learned(joint_model):
    found = np.exp(joint_model.log_prob(every_cell(), n_orders=20))
    assert np.abs(found - joint_probabilities().ravel()).sum() / 2 < 0.05


def test_two_orders_of_the_chain_rule_agree(joint_model):
    """Any order gives the same likelihood, within what training leaves."""
    rows = joint_table(200, seed=9)
    chains = []
    for order in (["a", "b", "c"], ["c", "b", "a"]):
        total = np.zeros(len(rows))
        for k, name in enumerate(order):
            found = joint_model.conditional(name, rows[order[:k]], n_orders=8)
            total += found.log_prob(rows[name])
        chains.append(total)
    assert np.abs(chains[0] - chains[1]).mean() < 0.15
    direct = joint_model.log_prob(rows, n_orders=16)
    assert np.abs(direct - chains[0]).mean() < 0.1


def test_left_out_columns_are_marginalised(joint_model):
    rows = every_cell()
    pairs = rows[["a", "b"]].drop_duplicates()
    direct = joint_model.log_prob(pairs)
    summed = [
        logsumexp(joint_model.log_prob(rows)[((rows["a"] == a) & (rows["b"] == b)).to_numpy()])
        for a, b in pairs.to_numpy()
    ]
    np.testing.assert_allclose(direct, summed, atol=0.2)
    missing = pairs.assign(c=pd.Series([None] * len(pairs), dtype=object, index=pairs.index))
    np.testing.assert_allclose(joint_model.log_prob(missing), direct)


def test_one_column_has_its_empirical_likelihood(tiny):
    x = np.random.default_rng(0).normal(size=400)
    model = tiny(n_bins=10, epochs=60, validation_fraction=0.0).fit(pd.DataFrame({"x": x}))
    cells = model.table_["x"].cells
    empirical = np.histogram(x, np.r_[cells.low, cells.high[-1]], density=True)[0]
    expected = np.log(empirical[cells.find(x)])
    np.testing.assert_allclose(model.log_prob(pd.DataFrame({"x": x})), expected, atol=0.05)


def test_units_change_densities_and_not_masses(tiny):
    x = np.random.default_rng(0).normal(size=300)
    frames = [pd.DataFrame({"x": x * unit, "k": ["u", "v", "v"] * 100}) for unit in (1, 8.0)]
    found = [tiny().fit(frame).log_prob(frame) for frame in frames]
    np.testing.assert_allclose(found[0] - np.log(8), found[1], atol=1e-4)
    whole = [pd.DataFrame({"x": (x * 5).round().astype(int) * unit}) for unit in (1, 7)]
    found = [tiny().fit(frame).log_prob(frame) for frame in whole]
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


def test_rows_do_not_depend_on_each_other(mixed_model):
    rows = mixed_table(40, seed=8)
    whole = mixed_model.log_prob(rows)
    np.testing.assert_allclose(mixed_model.log_prob(rows.iloc[:3]), whole[:3], rtol=1e-4)
    assert np.isfinite(whole).all()


def test_a_model_prefers_its_own_kind_of_rows(joint_model):
    rows = joint_table(1000, seed=11)
    rng = np.random.default_rng(0)
    mixed_up = rows.apply(lambda column: rng.permutation(column.to_numpy()))
    assert joint_model.score(rows) > joint_model.score(mixed_up) + 0.2
    assert joint_model.score(rows) == pytest.approx(joint_model.log_prob(rows).mean())


def test_more_orders_are_an_average_of_probabilities(joint_model):
    rows = every_cell()
    singles = [joint_model.log_prob(rows, n_orders=1, random_state=s) for s in range(60)]
    found = {single.round(5).tobytes(): single for single in singles}
    assert len(found) == 6, "three columns have six orders"
    average = logsumexp(list(found.values()), axis=0) - np.log(6)
    np.testing.assert_allclose(joint_model.log_prob(rows, n_orders=900), average, atol=0.03)


def test_rows_are_scored_in_parts_that_do_not_matter(joint_model, monkeypatch):
    rows = joint_model.sample(200, random_state=0)
    whole = joint_model.log_prob(rows)
    monkeypatch.setattr(sampling, "MEMORY", 1)
    monkeypatch.setattr(sampling, "LEAST_AT_ONCE", 64)
    np.testing.assert_allclose(joint_model.log_prob(rows), whole, rtol=1e-5)


def test_unknown_columns_are_refused(joint_model):
    with pytest.raises(ValueError, match="no column 'd'"):
        joint_model.log_prob(every_cell().assign(d=1))
    with pytest.raises(ValueError, match="no category 'b9'"):
        joint_model.log_prob(every_cell().assign(b="b9"))
