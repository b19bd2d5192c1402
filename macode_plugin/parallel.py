"""Parts of the rows side by side on the processor's cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

__all__ = ["LEAST_ROWS", "side_by_side", "slices", "split"]

LEAST_ROWS = 1024
"""Rows of a part at least, where there are more threads than parts: fewer are not worth a thread."""


def slices(n_rows: int, size: int) -> list[slice]:
    """Return parts of ``size`` rows, the last of what is left."""
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def split(n_rows: int, most: int, device: torch.device) -> list[slice]:
    """Return parts of at most ``most`` rows, one for each of torch's threads if rows suffice."""
    share = -(-n_rows // _n_threads(device))
    return slices(n_rows, min(max(share, LEAST_ROWS), most))


def side_by_side(work: Callable[[slice], None], parts: Sequence[slice], device: torch.device) -> None:
    """Call ``work`` for each part, several at a time if torch may use several threads.

    Small operations one after another, as in generation, gain little from threads of their own;
    with a thread for each part they all do. An accelerator gets one part after another.

    Arguments
    ---------
    work : callable
        Takes a part; what it does for one must not depend on another's.
    parts : sequence of slice
    device : torch.device
        Where the work is done.
    """
    n_threads = _n_threads(device)
    n_workers = min(n_threads, len(parts))
    if n_workers < 2:
        for part in parts:
            work(part)
        return
    own = n_threads // n_workers
    pool = ThreadPoolExecutor(n_workers, initializer=torch.set_num_threads, initargs=(own,))
    try:
        for _ in pool.map(work, parts):
            pass
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(n_threads)  # the workers' is what threads started later would get


def _n_threads(device: torch.device) -> int:
    return torch.get_num_threads() if device.type == "cpu" else 1
