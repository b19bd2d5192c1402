"""Parts of the work side by side on the processor's cores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import torch

__all__ = ["LEAST_ROWS", "Workers", "slices", "split"]

Part = TypeVar("Part")
Result = TypeVar("Result")

LEAST_ROWS = 1024
"""Rows of a part at least, where there are more threads than parts: fewer are not worth a thread."""


def slices(n_rows: int, size: int) -> list[slice]:
    """Return parts of ``size`` rows, the last of what is left."""
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def split(n_rows: int, most: int, device: torch.device, unit: int = 1) -> list[slice]:
    """Return parts of at most ``most`` rows, as many for one of torch's threads as for another.

    All but the last are whole numbers of units, at most one more in one than in another; neither
    ``most`` nor ``LEAST_ROWS``, which a part has if ``most`` allows, cuts a unit.
    """
    n_units = -(-n_rows // unit)
    n_parts = -(-n_units // max(most // unit, 1))
    even = -(-n_parts // _n_threads(device)) * _n_threads(device)
    n_parts = max(n_parts, min(even, n_rows // LEAST_ROWS, n_units))
    ends = [part * n_units // n_parts * unit for part in range(n_parts)] + [n_rows]
    return [slice(start, end) for start, end in pairwise(ends)]


class Workers:
    """Threads that share torch's out among them, for as long as the context lasts.

    Small operations one after another, as in generation and training, gain little from torch's threads
    inside each of them; with a thread for each part of the work they all do. An accelerator gets one
    part after another.

    Arguments
    ---------
    most : int
        Parts at once, at most.
    device : torch.device
        Where the work is done.

    Attributes
    ----------
    n : int
        Parts at once; 1 outside the context.
    """

    def __init__(self, most: int, device: torch.device) -> None:
        self.most = most
        self.device = device
        self.pool: ThreadPoolExecutor | None = None
        self.n = 1
        self.n_threads = 1

    def __enter__(self) -> Workers:
        self.n_threads = _n_threads(self.device)
        self.n = max(min(self.n_threads, self.most), 1)
        if self.n > 1:
            own = self.n_threads // self.n
            self.pool = ThreadPoolExecutor(self.n, initializer=torch.set_num_threads, initargs=(own,))
            torch.set_num_threads(own)  # idle ones of more would still keep a core busy for a while
        return self

    def __exit__(self, *error: object) -> None:
        if self.pool is not None:
            try:
                self.pool.shutdown(cancel_futures=True)
            finally:  # Ctrl-C may fall into it
                self.pool, self.n = None, 1
                torch.set_num_threads(self.n_threads)  # the workers' is what later threads would get

    def map(self, work: Callable[[Part], Result], parts: Iterable[Part]) -> list[Result]:
        """Return what ``work`` makes of each part; that must not depend on another's."""
        return list(map(work, parts) if self.pool is None else self.pool.map(work, parts))


def _n_threads(device: torch.device) -> int:
    return torch.get_num_threads() if device.type == "cpu" else 1
