"""How a column's range is cut: masses, supports, atoms and the distribution that cells draw from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from macode_plugin.cells import atom_cells, equal_width_cells

JUST_BELOW_ONE = 1 - 2**-53
DRAWS = np.array([0.0, 2**-60, 0.1, 0.25, 0.5, 0.75, 0.9, JUST_BELOW_ONE])

sizes = st.integers(1, 60)
wide = hnp.arrays(np.float64, sizes, elements=st.floats(-1e300, 1e300))
narrow = hnp.arrays(np.float64, sizes, elements=st.floats(-1, 1, width=16))
tied = hnp.arrays(np.float64, sizes, elements=st.sampled_from([-2.5, 0.0, 0.1, 3.0, 1e9]))
whole = hnp.arrays(np.int64, sizes, elements=st.integers(-(2**50), 2**50)).map(lambda x: x.astype(float))
small_whole = hnp.arrays(np.int64, sizes, elements=st.integers(0, 90)).map(lambda x: x.astype(float))
anything = st.one_of(wide, narrow, tied, small_whole)
bins = st.sampled_from([1, 2, 3, 5, 20])


def every_draw(cells):
    """Return each cell with each of the uniform numbers, and the value drawn."""
    cell = np.repeat(np.arange(len(cells)), len(DRAWS))
    return cell, cells.draw(cell, np.tile(DRAWS, len(cells)))


@given(anything, bins)
@example(np.array([0.3, 0.1 + 0.2]), 5)
@example(np.array([0.3, 0.1 + 0.2]), 1)
@example(np.array([5e-324, 1e-323, 1.5e-323]), 2)
@example(np.array([1.6e308, 1.7e308]), 2)
def test_a_drawn_value_is_found_in_its_cell(x, n_bins):
    cells = atom_cells(x, n_bins, whole=False)
    cell, value = every_draw(cells)
    assert cells.find(value).tolist() == cell.tolist()


@given(st.one_of(whole, small_whole), bins)
def test_a_drawn_whole_number_is_found_in_its_cell(x, n_bins):
    cells = atom_cells(x, n_bins, whole=True)
    cell, value = every_draw(cells)
    assert cells.find(np.rint(value)).tolist() == cell.tolist()


@given(anything, bins)
def test_nothing_is_drawn_outside_the_training_range(x, n_bins):
    _, value = every_draw(atom_cells(x, n_bins, whole=False))
    assert value.min() >= x.min()
    assert value.max() <= x.max()


@given(anything, bins)
@example(np.array([0.3, 0.1 + 0.2]), 5)
def test_masses_are_the_training_frequencies(x, n_bins):
    cells = atom_cells(x, n_bins, whole=False)
    frequency = np.bincount(cells.find(x), minlength=len(cells)) / len(x)
    np.testing.assert_allclose(np.diff(cells.edges), frequency, atol=1e-12)
    assert (frequency > 0).all()
    assert cells.edges[0] == 0
    assert cells.edges[-1] == 1


@given(anything, bins)
def test_cells_follow_each_other(x, n_bins):
    cells = atom_cells(x, n_bins, whole=False)
    assert (cells.low <= cells.high).all()
    assert (cells.high[:-1] < cells.low[1:]).all()
    assert (np.diff(cells.knots_u) >= 0).all()
    assert (np.diff(cells.knots_x) >= 0).all()


@given(anything, bins)
@example(np.array([0.3, 0.1 + 0.2]), 5)
def test_a_frequent_value_has_a_cell_of_its_own(x, n_bins):
    cells = atom_cells(x, n_bins, whole=False)
    values, counts = np.unique(x, return_counts=True)
    atoms = values[counts * n_bins >= len(x)]
    owner = cells.find(atoms)
    assert len(set(owner.tolist())) == len(atoms)
    for u in DRAWS:
        assert cells.draw(owner, np.full(len(atoms), u)).tolist() == atoms.tolist()


@given(anything)
def test_few_distinct_values_are_all_atoms(x):
    values = np.unique(x)
    cells = atom_cells(x, len(values), whole=False)
    assert len(cells) == len(values)
    assert cells.draw(np.arange(len(cells)), np.full(len(cells), 0.3)).tolist() == values.tolist()


@given(anything, bins)
def test_draws_of_a_cell_rise_with_u(x, n_bins):
    cells = atom_cells(x, n_bins, whole=False)
    _, value = every_draw(cells)
    assert (np.diff(value.reshape(len(cells), -1), axis=1) >= 0).all()


def test_about_as_many_cells_as_asked_for():
    rng = np.random.default_rng(0)
    assert len(atom_cells(rng.normal(size=2000), 50, whole=False)) == 50
    inflated = np.where(rng.random(2000) < 0.6, 0.0, rng.exponential(size=2000))
    assert len(atom_cells(inflated, 50, whole=False)) == pytest.approx(50, abs=3)


def ks_distance(a, b):
    """Return the largest distance of two samples' distribution functions."""
    points = np.union1d(a, b)
    below = [np.searchsorted(np.sort(sample), points, side="right") / len(sample) for sample in (a, b)]
    return np.abs(below[0] - below[1]).max()


SAMPLES = {
    "normal": lambda rng: rng.normal(size=3000),
    "heavy tails": lambda rng: rng.standard_t(1.2, size=3000),
    "tiny": lambda rng: 1e-200 * rng.random(3000),
    "zero inflated": lambda rng: np.where(rng.random(3000) < 0.6, 0.0, rng.exponential(size=3000)),
    "ties everywhere": lambda rng: np.round(rng.normal(size=3000), 1),
    "more rows than pieces": lambda rng: rng.normal(size=30_000),
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("n_bins", [5, 50])
def test_cells_drawn_by_their_masses_give_the_training_distribution(name, n_bins):
    x = SAMPLES[name](np.random.default_rng(1))
    cells = atom_cells(x, n_bins, whole=False)
    rank = (np.arange(200_000) + 0.5) / 200_000
    cell = np.searchsorted(cells.edges, rank, side="right") - 1
    inside = (rank - cells.edges[cell]) / np.diff(cells.edges)[cell]
    # Half a row's mass where a value is spread over the gap to its neighbours, and a piece's.
    assert ks_distance(cells.draw(cell, inside), x) <= 1 / len(x) + 2e-4
    assert ks_distance(cells.draw(np.zeros_like(cell), inside), x) > 0.1


def test_a_value_seen_once_is_not_copied_to_all_its_digits():
    x = np.random.default_rng(2).normal(size=500)
    cells = atom_cells(x, 10, whole=False)
    u = np.random.default_rng(3).random(2000)
    drawn = cells.draw(np.random.default_rng(4).integers(0, 10, 2000), u)
    assert np.isin(drawn, x).mean() < 0.02


@pytest.mark.parametrize("n", [30, 500, 30_000])
@pytest.mark.parametrize("n_bins", [1, 20])
def test_wide_gaps_stay_gaps(n, n_bins):
    rng = np.random.default_rng(5)
    x = np.r_[rng.uniform(0, 10, n), rng.uniform(70, 80, n), 100.0, 0.0]  # a twentieth of it is 5
    cells = atom_cells(x, n_bins, whole=False)
    cell, u = rng.integers(0, len(cells), 20_000), rng.random(20_000)
    drawn = np.r_[cells.draw(cell, u), every_draw(cells)[1]]
    x = np.sort(x)
    above = np.searchsorted(x, drawn)
    distance = np.minimum(np.abs(x[above] - drawn), np.abs(drawn - x[np.maximum(above - 1, 0)]))
    assert distance.max() <= 5 + 1e-9
    # Between neighbours that are nearer to each other than that, all is possible.
    within = np.sort(drawn[drawn < 10])
    assert np.diff(within).max() < 0.1


@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 9))
def test_equal_width_cells_cut_the_distribution_function_into_equal_widths(n, n_bins, seed):
    x = np.random.default_rng(seed).permutation(np.random.default_rng(seed).normal(size=n))
    cells = equal_width_cells(x, n_bins)
    rank = np.argsort(np.argsort(x)) + 1
    assert len(cells) == n_bins
    # The bin (l / L, (l + 1) / L] that F(x) = rank / n falls into, in whole numbers.
    assert cells.find(x).tolist() == ((rank * n_bins + n - 1) // n - 1).tolist()


@given(st.one_of(narrow, tied), st.integers(1, 30))
def test_equal_width_cells_end_at_quantiles(x, n_bins):
    tolerance = {"rtol": 1e-9, "atol": 1e-9 + 1e-12 * np.ptp(x)}
    cells = equal_width_cells(x, n_bins)
    ends = np.quantile(x, np.arange(n_bins + 1) / n_bins)
    np.testing.assert_allclose(np.r_[cells.low, cells.high[-1]], ends, **tolerance)
    everything = np.quantile(x, 0.3 / n_bins + np.arange(n_bins) / n_bins)
    drawn = cells.draw(np.arange(n_bins), np.full(n_bins, 0.3))
    np.testing.assert_allclose(drawn, everything, **tolerance)


@given(tied, st.integers(1, 30))
def test_equal_width_cells_with_ties_follow_the_distribution_function(x, n_bins):
    cells = equal_width_cells(x, n_bins)
    up_to = np.array([(x <= value).sum() for value in x])
    assert cells.find(x).tolist() == ((up_to * n_bins + len(x) - 1) // len(x) - 1).tolist()


@settings(max_examples=20)
@given(anything, bins)
def test_values_beyond_the_range_go_to_the_outermost_cells(x, n_bins):
    cells = atom_cells(x, n_bins, whole=False)
    assert cells.find(np.array([-np.inf, np.inf])).tolist() == [0, len(cells) - 1]
