"""Numbers that rows share out evenly: runs, uniformity, whose number is whose, each row's own law."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tables import LEVELS, joint_frequencies

from macode_plugin.sampling import LARGEST_BLOCK, block_size
from macode_plugin.stratification import Stratified, even_numbers


def sequences(n, *, seed=0, n_sequences=3):
    return even_numbers(np.random.default_rng(seed), n_sequences, n)


@pytest.mark.parametrize("n", [1, 2, 7, 64, 100, 1000, 1024])
def test_every_run_of_a_sequence_falls_once_into_each_part(n):
    numbers = sequences(n)
    assert numbers.shape == (3, n)
    for k in range(n.bit_length()):
        whole = n >> k << k
        parts = (numbers[:, :whole] * 2**k).astype(int).reshape(3, -1, 2**k)
        assert (np.sort(parts, axis=2) == np.arange(2**k)).all()


def test_every_number_of_a_sequence_is_uniform():
    many = sequences(6, n_sequences=20_000)
    shares = [np.histogram(place, 10, (0, 1))[0] / 20_000 for place in many.T]
    assert np.array(shares) == pytest.approx(0.1, abs=0.012)


def test_sequences_have_nothing_to_do_with_each_other():
    numbers = sequences(1024, n_sequences=8)
    assert np.corrcoef(numbers) == pytest.approx(np.eye(8), abs=0.15)
    # Nor do the halves that their numbers fall into, which an alternating sequence would share.
    halves = numbers < 0.5
    assert np.corrcoef(halves) == pytest.approx(np.eye(8), abs=0.15)
    assert len(np.unique(numbers)) == numbers.size
    assert (sequences(64, seed=1) != sequences(64, seed=2)).all()


def served(*asked, n_columns=2, rows=slice(0, 64), block_size=64, seed=0):
    """Return the numbers that cells (rows, columns, expected) get when asked for one after another."""
    numbers = Stratified(seed, 1, n_columns, rows, block_size)
    return [numbers.take(*(np.asarray(part) for part in cells)) for cells in asked]


def test_neighbours_in_what_is_expected_of_them_share_the_numbers_out():
    expected = np.random.default_rng(0).random(64)
    (numbers,) = served((np.arange(64), np.zeros(64, dtype=int), expected))
    in_turn = numbers[np.argsort(expected)]
    assert (np.sort((in_turn * 8).astype(int).reshape(8, 8), axis=1) == np.arange(8)).all()


def test_rows_that_ask_later_go_on_with_the_sequence():
    generator = np.random.default_rng(0)
    rows, step = generator.permutation(64), generator.integers(0, 5, 64)
    asked = [(rows[step == k], np.ones((step == k).sum(), dtype=int), step[step == k]) for k in range(5)]
    none = np.zeros(0, dtype=int)
    numbers = np.concatenate(served(*asked, (none, none, none)))
    assert (np.sort((numbers * 64).astype(int)) == np.arange(64)).all()


def test_blocks_and_columns_have_sequences_of_their_own():
    rows, columns = np.divmod(np.arange(2 * 160), 2)
    (numbers,) = served((rows, columns, np.zeros(len(rows))), rows=slice(0, 160))
    for block, size in ((0, 64), (1, 64), (2, 32)):
        for column in (0, 1):
            parts = (numbers[(rows // 64 == block) & (columns == column)] * size).astype(int)
            assert (np.sort(parts) == np.arange(size)).all()
    assert len(np.unique(numbers)) == len(numbers)


def test_a_block_is_the_same_in_any_draw():
    cells = (np.arange(64), np.zeros(64, dtype=int), np.linspace(0, 1, 64))
    second = tuple(np.r_[one, two] for one, two in zip((np.arange(64, 128), *cells[1:]), cells))
    (alone,) = served(cells, rows=slice(64, 128))
    (beside,) = served(second, rows=slice(0, 128))
    assert (beside[:64] == alone).all()
    assert (beside[64:] != alone).all()


@pytest.mark.parametrize("n_rows", [0, 1, 1024, 1025, 1279, 4000, 17_290, 100_000])
def test_blocks_are_alike_and_can_be_halved(n_rows):
    size = block_size(n_rows, 1024)
    sizes = [min(size, n_rows - start) for start in range(0, n_rows, size)]
    assert sum(sizes) == n_rows
    assert max(sizes, default=0) <= 1024
    assert len(sizes) <= 1 if n_rows <= 1024 else len(sizes) % 2 == 0
    assert size - min(sizes, default=size) < max(len(sizes), 2)


def test_columns_of_which_nothing_is_expected_are_not_shared_out_alike():
    """Rows in one order at two columns that do not depend on each other would tie these together."""
    cells = [(np.arange(64), np.full(64, column), np.full(64, 0.5)) for column in (0, 1)]
    pairs = [served(*cells, seed=seed) for seed in range(200)]
    low = np.array(pairs) < 0.5  # (seed, column, row)
    # Rows 0 and 1 as a run in both columns: where one is low in the first, so is it in the second.
    together = (low[:, 0, ::2] ^ low[:, 0, 1::2]) & (low[:, 1, ::2] ^ low[:, 1, 1::2])
    assert together.mean() == pytest.approx(0.25, abs=0.03)


def counts_by_block(frame, block):
    levels = pd.get_dummies(frame["a"]).to_numpy(dtype=float)
    return levels.reshape(-1, block, levels.shape[1]).sum(axis=1), levels.mean(axis=0)


def test_a_sample_meets_a_columns_distribution_closely(joint_model):
    n_blocks = 24
    drawn = joint_model.sample(n_blocks * LARGEST_BLOCK, random_state=1)
    counts, share = counts_by_block(drawn, LARGEST_BLOCK)
    by_chance = LARGEST_BLOCK * share * (1 - share)
    assert (counts.var(axis=0, ddof=1) / by_chance < 0.2).all()


def test_continuous_values_meet_their_distribution_inside_bins_too(tiny):
    x = pd.DataFrame({"x": np.random.default_rng(0).random(4000)})
    model = tiny(n_bins=2, atoms=False).fit(x)
    means = [model.sample(256, random_state=seed)["x"].mean() for seed in range(40)]
    assert np.std(means) < 0.1 * x["x"].std() / 256**0.5


def test_each_row_alone_is_drawn_from_the_models_distribution(joint_model):
    """Of draws of six rows, where what others expect has the most to do with one's place."""
    every = pd.MultiIndex.from_product(LEVELS, names=list("abc")).to_frame(index=False)
    truth = np.exp(joint_model.log_prob(every, n_orders=40)).reshape([len(of) for of in LEVELS])
    draws = [joint_model.sample(6, random_state=seed) for seed in range(1000)]
    for rows, bound in ((slice(None), 0.035), (slice(0, 1), 0.09), (slice(5, 6), 0.09)):
        found = joint_frequencies(pd.concat([draw.iloc[rows] for draw in draws]))
        assert np.abs(found - truth).sum() / 2 < bound
