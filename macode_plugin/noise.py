"""Random numbers that belong to rows.

Row i of a draw gets its numbers from (seed, i) alone, so results do not depend on how rows are
batched, and the first rows of a large draw are the rows of a small one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["RowNoise", "generator_of"]

BLOCK = 256
"""Rows that share one generator; a block is always drawn whole."""


class RowNoise:
    """Uniform numbers in [0, 1) by row.

    Arguments
    ---------
    seed : int
        Not negative.
    width : int
        Numbers that each row gets.
    stream : int
        Different numbers of one seed.
    """

    def __init__(self, seed: int, width: int, stream: int = 0) -> None:
        self.seed = seed
        self.width = width
        self.stream = stream

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Return the numbers of rows ``start`` to ``stop - 1``, shape (stop - start, width)."""
        if stop <= start:
            return np.empty((0, self.width))
        first = start // BLOCK
        blocks = [self._block(b) for b in range(first, (stop - 1) // BLOCK + 1)]
        return np.concatenate(blocks)[start - first * BLOCK : stop - first * BLOCK]

    def _block(self, b: int) -> np.ndarray:
        return generator_of(self.seed, self.stream, b).random((BLOCK, self.width))


def generator_of(seed: int, *key: int) -> np.random.Generator:
    """Return the generator of one place in a tree of them that grows from ``seed``."""
    # Not all of them as entropy, which numpy takes to go on with zeros: (1, 2) is (1, 2, 0).
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))
