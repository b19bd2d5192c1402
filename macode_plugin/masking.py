"""Which entries of a row are hidden, and in which order they are revealed."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["random_mask", "random_orders"]


def random_mask(n_rows: int, n_columns: int, generator: torch.Generator) -> Tensor:
    """Hide a random subset of each row's entries, of uniformly distributed size.

    Source: Definition 2 of the paper. A row draws its rate u from U(0, 1) and hides each entry
    with probability u; training then sees every number of hidden entries as often as generation
    does.

    Returns
    -------
    Tensor of bool, shape (n_rows, n_columns)
        True where hidden.
    """
    rate = torch.rand(n_rows, 1, generator=generator)
    return torch.rand(n_rows, n_columns, generator=generator) < rate


def random_orders(observed: Tensor, generator: torch.Generator) -> Tensor:
    """Draw a column order for each row, observed entries before missing ones.

    Arguments
    ---------
    observed : Tensor of bool, shape (n, p)

    Returns
    -------
    Tensor of int64, shape (n, p)
        Row i visits column ``orders[i, 0]`` first.
    """
    keys = torch.rand(observed.shape, generator=generator).to(observed.device)
    return (keys + ~observed).argsort(dim=1)
