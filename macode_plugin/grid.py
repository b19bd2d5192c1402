"""The precision of a numeric column: the grid of values that it uses.

Prices end in .99, dates fall on days, an abalone is weighed to half a milligram. A synthetic value
off that grid gives itself away, so the grid is found once, from the training values, and every
value drawn is put back on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["EXACT", "Grid", "distances", "moved"]

MAX_DECIMALS = 9
"""More decimals than this are taken for a measurement's full precision, not for a grid."""

EXACT = 2.0**53
"""Integers up to here are exact in float64."""

MOST_TICKS = 2**52
"""Whole ticks up to here, and the halves between them, are exact in float64."""

EXACT_SINGLE = 2.0**23
"""Decimals of single-precision numbers up to here, counted in units of the last, are distinct."""


@dataclass(frozen=True)
class Grid:
    """Values ``(origin + ticks * step) / 10**decimals``, ticks being whole numbers.

    Arguments
    ---------
    origin : int
        The smallest training value, in units of ``10**-decimals``.
    top : int
        The largest one, likewise.
    step : int
        Distance of neighbouring grid values in the same units; 0 for a column without a grid,
        whose ticks are the values themselves. Integers that span more than ``MOST_TICKS`` of
        their steps are kept to a coarser grid, on which every tick is exact in float64.
    decimals : int
        Decimals of the column; 0 for integers.
    integer : bool
        Whether the column holds ``int64`` rather than ``float64``.
    """

    origin: int
    top: int
    step: int
    decimals: int
    integer: bool

    @classmethod
    def fit(cls, values: np.ndarray, *, single_precision: bool = False) -> Grid:
        """Find the grid of training values, shape (n,), ``int64`` or ``float64``, n >= 1."""
        if values.dtype.kind == "i":
            return cls._fit_integers(values)
        for decimals in range(MAX_DECIMALS + 1):
            scaled = np.rint(values * 10.0**decimals)
            if np.abs(scaled).max() >= (EXACT_SINGLE if single_precision else EXACT / 2):
                break
            restored = scaled / 10.0**decimals
            if single_precision:
                restored = restored.astype(np.float32).astype(np.float64)
            if np.array_equal(restored, values):
                units = scaled.astype(np.int64)
                return cls(int(units.min()), int(units.max()), _step(units), decimals, integer=False)
        return cls.none()

    @classmethod
    def none(cls) -> Grid:
        """Return the grid of a float column that keeps every value as it is."""
        return cls(0, 0, 0, 0, integer=False)

    @classmethod
    def _fit_integers(cls, values: np.ndarray) -> Grid:
        origin, top = int(values.min()), int(values.max())
        coarse = -(-(top - origin) // MOST_TICKS)
        return cls(origin, top, max(_step(values), coarse), 0, integer=True)

    def ticks(self, values: np.ndarray, above: np.ndarray | bool = False) -> np.ndarray:
        """Return values as float64 ticks: whole numbers for values on the grid.

        Integers may be the nearest one below a value, which ``above`` tells.
        """
        if self.integer:
            return self._integer_ticks(values, above)
        if self.step == 0:
            return values.astype(np.float64)
        ticks = (values.astype(np.float64) * 10.0**self.decimals - self.origin) / self.step
        near = np.rint(ticks)
        # What is left of a value on the grid by the rounding errors of its decimals is dropped.
        return np.where(np.abs(ticks - near) < 1e-6, near, ticks)

    def _integer_ticks(self, values: np.ndarray, above: np.ndarray | bool) -> np.ndarray:
        """Return ticks by integer arithmetic, a half more for any value between two of them."""
        units = values
        if values.dtype.kind == "f":
            units = np.clip(np.nan_to_num(np.floor(values)), -(2.0**63), 2.0**63 - 1024).astype(np.int64)
        distance = distances(units, self.origin)
        negative = units < self.origin
        whole, rest = np.divmod(np.where(negative, -distance, distance), np.uint64(self.step))
        ticks = whole + 0.5 * ((rest > 0) | (units != values) | above)
        return np.where(negative, -ticks, ticks)

    def on_grid(self, ticks: np.ndarray) -> np.ndarray:
        """Return ticks as whole numbers: integers go down to a grid coarser than they are."""
        if not self.whole:
            return ticks
        return np.floor(ticks) if self.integer else np.rint(ticks)

    def values(self, ticks: np.ndarray) -> np.ndarray:
        """Return the values at ``ticks``, as int64 or float64, each on the grid."""
        if self.integer:
            return moved(np.rint(ticks).astype(np.uint64) * np.uint64(self.step), self.origin)
        if self.step == 0:
            return np.asarray(ticks, dtype=np.float64)
        return (self.origin + np.rint(ticks) * self.step) / 10.0**self.decimals

    @property
    def whole(self) -> bool:
        """Whether ticks are whole numbers."""
        return self.step > 0


def distances(units: np.ndarray, origin: int) -> np.ndarray:
    """Return ``units - origin`` of int64 numbers, modulo 2**64, which no overflow can spoil."""
    return units.astype(np.uint64) - np.uint64(origin & (2**64 - 1))


def moved(distance: np.ndarray, origin: int) -> np.ndarray:
    """Return the int64 numbers at distances, of any dtype, from ``origin``."""
    return (distance.astype(np.uint64) + np.uint64(origin & (2**64 - 1))).view(np.int64)


def _step(units: np.ndarray) -> int:
    """Return the greatest common divisor of the distances to the smallest value, at least 1."""
    return max(int(np.gcd.reduce(distances(units, int(units.min())))), 1)
