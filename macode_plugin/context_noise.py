"""Noise on what the network is told in training, so that it does not learn rows by heart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from macode_plugin.table import Vocabulary

__all__ = ["ContextNoise", "distinct_share"]


def distinct_share(frame: pd.DataFrame) -> np.ndarray:
    """Return the number of distinct values over the number of values of every column, shape (p,).

    A row is recognised by values that few others share. Where values repeat, a known one is
    information that all its rows vouch for, and noise would only blur it.
    """
    n_values = frame.notna().sum().to_numpy()
    return frame.nunique().to_numpy() / np.maximum(n_values, 1)


class ContextNoise:
    """Moves the known values of ordered columns by a little; what is to be predicted stays.

    A small table has few rows near any set of known values, and a network that is told them to the
    bin can recognise the row. A value's rank in its column is moved by a normal number, so that
    bins are exchanged for their neighbours and heavy atoms stay. Not in the paper.

    Arguments
    ---------
    vocabulary : Vocabulary
        The tokens of the p columns.
    scale : ndarray, shape (p,)
        Standard deviation by column, as a share of the column's mass.
    device : torch.device
    """

    def __init__(self, vocabulary: Vocabulary, scale: np.ndarray, device: torch.device) -> None:
        self.scale = torch.from_numpy(scale.astype(np.float32)).to(device).unsqueeze(1)
        self.sizes = torch.tensor([0 if p is None else len(p) for p in vocabulary.positions]).to(device)
        longest = max(int(self.sizes.max()), 1)
        middle = np.zeros((len(vocabulary), longest))
        upper = np.full((len(vocabulary), longest), np.inf)
        for j, (counts, positions) in enumerate(zip(vocabulary.counts, vocabulary.positions)):
            if positions is not None:
                mass = counts[: len(positions)] + 1e-9
                middle[j, : len(positions)] = positions
                upper[j, : len(positions)] = np.cumsum(mass) / mass.sum()
        self.middle = torch.from_numpy(middle.astype(np.float32)).to(device)
        self.upper = torch.from_numpy(upper.astype(np.float32)).to(device)

    def __call__(self, tokens: Tensor, generator: torch.Generator) -> Tensor:
        """Return the tokens that the network is told.

        Shape
        -----
        - tokens: (n, p); ``FREE`` and tokens for "missing" come back as they are
        - Output: (n, p)
        """
        noise = torch.randn(tokens.shape, generator=generator)
        place = tokens.t().clamp(min=0).minimum((self.sizes - 1).clamp(min=0).unsqueeze(1))
        rank = self.middle.gather(1, place) + self.scale * noise.t().to(tokens.device)
        moved = torch.searchsorted(self.upper, rank.contiguous()).t()
        moved = moved.minimum(self.sizes - 1)
        return torch.where((tokens >= 0) & (tokens < self.sizes), moved, tokens)
