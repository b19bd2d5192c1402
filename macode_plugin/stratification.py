"""Uniform numbers for the cells of a draw: each its own, or such that rows share them out evenly.

A cell needs a number that is uniform given what its row holds so far; which of several rows gets which
is free. So each column has a sequence of numbers that is spread evenly in every run, and the rows that
draw the column at one step take the next ones in the order of what the model expects of their cells.
Neighbours have nearly the same distribution then, and between them they meet it. Not in the paper.

Which number is next depends on other rows, and through them, in the end, on numbers of this row: a row
alone is drawn from the model's distribution but for that, which draws of six rows do not show
(``tests/test_stratification.py``).

Source: Array-RQMC (L'Ecuyer, Lecot and Tuffin, Operations Research 56, 2008), where all chains are at
the same step; here rows have orders of their own, and a column's sequence goes on from step to step.
"""

from __future__ import annotations

import numpy as np

from macode_plugin.noise import RowNoise, generator_of
from macode_plugin.parallel import slices

__all__ = ["Independent", "Numbers", "Stratified", "even_numbers"]

TIE = 1e-6
"""Expectations that differ by less, of a column's whole range, take turns by chance.

In the same order at every column, rows would tie together columns that have nothing to do with each
other."""


class Numbers:
    """Gives the cells of some rows of a draw their uniform numbers."""

    def take(self, rows: np.ndarray, columns: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Return numbers in [0, 1) for some cells; a cell is to be asked for once.

        Shape
        -----
        - rows, columns: (k,), of the cells; rows are counted from the first of them that this serves
        - expected: (k,), where the column's value is expected, of [0, 1] for its whole range
        - Output: (k,)
        """
        raise NotImplementedError


class Independent(Numbers):
    """Numbers of each cell's own.

    Arguments
    ---------
    numbers : ndarray, shape (n, p)
    """

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = numbers

    def take(self, rows: np.ndarray, columns: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """See :class:`Numbers`."""
        return self.numbers[rows, columns]


class Stratified(Numbers):
    """Rows of a block share out each column's numbers evenly.

    Arguments
    ---------
    seed, stream : int
        As of :class:`~macode_plugin.noise.RowNoise`.
    n_columns : int
    rows : slice
        Rows of the whole draw, from the first of a block.
    block_size : int
        Rows of a block.
    """

    def __init__(self, seed: int, stream: int, n_columns: int, rows: slice, block_size: int) -> None:
        self.ties = RowNoise(seed, n_columns, stream).rows(rows.start, rows.stop)
        self.n_columns = n_columns
        self.block_size = block_size
        blocks = slices(rows.stop - rows.start, block_size)
        first = rows.start // block_size
        self.sequences = np.empty((len(blocks), n_columns, block_size))
        for b, block in enumerate(blocks):
            generator = generator_of(seed, stream, first + b, 0)
            n_rows = block.stop - block.start
            self.sequences[b, :, :n_rows] = even_numbers(generator, n_columns, n_rows)
        self.used = np.zeros(len(blocks) * n_columns, dtype=np.int64)

    def take(self, rows: np.ndarray, columns: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """See :class:`Numbers`."""
        queue = rows // self.block_size * self.n_columns + columns
        place = (expected + TIE * self.ties[rows, columns]) / (1 + 2 * TIE)
        turn = np.argsort(queue + place)
        queue = queue[turn]
        served = np.bincount(queue, minlength=len(self.used))
        ahead = np.cumsum(served) - served
        position = self.used[queue] + np.arange(len(queue)) - ahead[queue]
        self.used += served
        numbers = np.empty(len(queue))
        numbers[turn] = self.sequences.take(queue * self.block_size + position)
        return numbers


def even_numbers(generator: np.random.Generator, n_sequences: int, n: int) -> np.ndarray:
    """Return sequences of numbers in [0, 1) that are uniform, and spread evenly in every run of them.

    Numbers ``i * 2**k`` to ``(i + 1) * 2**k - 1`` fall once into each of ``2**k`` equal parts, for every
    i and k that n has room for, and are free otherwise. Van der Corput's sequence is such a one; here
    every split of a run into halves is tossed anew (as in Owen's scrambling, 1995, and of places too).

    Shape
    -----
    - Output: (n_sequences, n)
    """
    levels = max(n - 1, 0).bit_length()
    size = 1 << levels
    place = np.arange(size)
    first = (np.arange(n_sequences) * size // 2)[:, None]
    tosses = generator.integers(0, 2, (levels, n_sequences * size // 2), dtype=np.int8)
    part = np.zeros((n_sequences, size), dtype=np.int64)
    for level, toss in enumerate(tosses):
        half_of = (place >> (level + 1) << level) + part
        part = 2 * part + ((place >> level & 1) ^ toss.take(first + half_of))
    return ((part + generator.random((n_sequences, size))) / size)[:, :n]
