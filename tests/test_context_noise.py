"""Noise on what is known: small, in rank, for ordered columns' values alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from macode_plugin.columns import FREE
from macode_plugin.context_noise import ContextNoise, distinct_share
from macode_plugin.table import Table

N = 4000


def fitted():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=N),
            "kind": rng.choice(["a", "b", "c"], N),
            "zero": np.where(rng.random(N) < 0.5, 0.0, rng.exponential(size=N)),
        }
    )
    frame.loc[:50, "x"] = np.nan
    table = Table.fit(frame, n_bins=20, model_missing=True)
    return table, torch.from_numpy(table.encode(frame, missing_is_token=True))


def moved(tokens, scale, table, seed=0):
    noise = ContextNoise(table.vocabulary, np.full(len(table), scale), torch.device("cpu"))
    return noise(tokens, torch.Generator().manual_seed(seed))


def test_values_move_by_about_the_scale_and_stay_values():
    table, tokens = fitted()
    seen = tokens[:, 0] < table["x"].n_values
    before, after = tokens[seen, 0], moved(tokens, 0.05, table)[seen, 0]
    inner = (before > 4) & (before < 15)
    shift = (after - before)[inner].double()
    assert abs(shift.mean()) < 0.1
    assert 0.9 < shift.std() < 1.2  # one bin of twenty, rounded to whole bins
    assert after.min() >= 0
    assert after.max() < table["x"].n_values


def test_categories_gaps_and_free_cells_stay():
    table, tokens = fitted()
    tokens[:100, 2] = FREE
    after = moved(tokens, 0.3, table)
    assert torch.equal(after[:, 1], tokens[:, 1])
    gone = tokens[:, 0] == table["x"].missing_token
    assert gone.any()
    assert torch.equal(after[gone, 0], tokens[gone, 0])
    assert (after[:100, 2] == FREE).all()


def test_a_heavy_atom_stays():
    table, tokens = fitted()
    atom = tokens[:, 2] == 0
    assert 0.4 < atom.double().mean() < 0.6
    assert (moved(tokens, 0.05, table)[atom, 2] == 0).all()


def test_a_seed_gives_the_same_noise_and_the_input_stays():
    table, tokens = fitted()
    before = tokens.clone()
    first, again, other = (moved(tokens, 0.05, table, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(tokens, before)


def test_columns_move_by_their_own_scale():
    table, tokens = fitted()
    noise = ContextNoise(table.vocabulary, np.array([0.0, 0.0, 0.1]), torch.device("cpu"))
    after = noise(tokens, torch.Generator().manual_seed(0))
    assert torch.equal(after[:, 0], tokens[:, 0])
    assert not torch.equal(after[:, 2], tokens[:, 2])


def test_the_distinct_share_is_one_for_distinct_numbers_and_small_for_repeated_ones():
    frame = pd.DataFrame(
        {
            "x": np.arange(8.0),
            "twice": np.arange(8) // 2,
            "one": 1,
            "holed": [1.0, 2.0, 2.0] + 5 * [np.nan],
        }
    )
    frame["gone"] = np.nan
    assert distinct_share(frame).tolist() == [1.0, 0.5, 0.125, 2 / 3, 0.0]


def test_repeated_values_are_told_as_they_are(tiny):
    """Noise on a column of a few repeated values is so small that training is hardly changed."""
    few = np.random.default_rng(0).integers(0, 4, 800).astype(float)
    frame = pd.DataFrame({"x": few, "copy": few})
    options = {"epochs": 60, "lr": 1e-2, "n_bins": 8}
    clear, noisy = (tiny(context_noise=c, **options).fit(frame).score(frame) for c in (0.0, 1.0))
    assert abs(clear - noisy) < 0.05


def test_the_same_seed_trains_alike_with_noise(tiny):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(300, 2)), columns=["x", "y"])
    one, two, none = (tiny(context_noise=noise).fit(frame).score(frame) for noise in (1.0, 1.0, 0.0))
    assert one == two != none


def test_training_is_told_the_noise_and_scored_on_the_truth(tiny):
    """With the known column drowned in noise, nothing can be learned from it."""
    x = np.random.default_rng(0).normal(size=800)
    frame = pd.DataFrame({"x": x, "copy": x})
    options = {"epochs": 60, "lr": 1e-2, "n_bins": 8}
    clear = tiny(context_noise=0.0, **options).fit(frame).score(frame)
    drowned = tiny(context_noise=1e3, **options).fit(frame).score(frame)
    apart = sum(tiny(**options).fit(frame[[name]]).score(frame[[name]]) for name in frame)
    assert clear > drowned + 1
    assert abs(drowned - apart) < 0.3
