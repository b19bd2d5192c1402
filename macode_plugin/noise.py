"""Random numbers that belong to rows.

Row i of a draw gets its numbers from (seed, i) alone, so results do not depend on how rows are
batched, and the first rows of a large draw are the rows of a small one.
"""

from __future__ import annotations

import numpy as np

__all__ = ["LatinHypercube", "RowNoise"]

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
        return self._generator(b).random((BLOCK, self.width))

    def _generator(self, b: int) -> np.random.Generator:
        # Not (seed, stream, b) as entropy, which numpy takes to go on with zeros: (1, 2) is (1, 2, 0).
        sequence = np.random.SeedSequence(self.seed, spawn_key=(self.stream, b))
        return np.random.Generator(np.random.PCG64(sequence))


class LatinHypercube(RowNoise):
    """Uniform numbers by row that are spread evenly: each alone is uniform, together they are not free.

    Of the rows of a block, each number falls once into each of ``BLOCK`` equal parts of [0, 1), in an
    order of its own. Source: McKay, Beckman and Conover, Technometrics 21 (1979).
    """

    def _block(self, b: int) -> np.ndarray:
        generator = self._generator(b)
        part = generator.random((BLOCK, self.width)).argsort(axis=0)
        return (part + generator.random((BLOCK, self.width))) / BLOCK
