"""Conditional distributions of one column, as objects: densities, quantiles, moments, draws.

What mass and density mean. A category, and every value of a column that lies on a grid (integers,
dates, rounded decimals), has a probability **mass**. A column of full precision has a probability
**density**, in one over its own unit, except at the values that hold so much of the training data
that they are tokens of their own (atoms): there it has a mass, so that the whole is a mixed
distribution. Inside a token, ``pdf`` spreads its mass evenly over the values that it covers, while
``cdf``, ``icdf``, ``sample`` and the moments follow the training values inside it, as
``MaCoDE.sample`` does; over a whole token, or several, both say the same.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from macode_plugin import settings
from macode_plugin.columns import CategoricalColumn, NumericColumn
from macode_plugin.grid import distances, moved
from macode_plugin.noise import RowNoise

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["CategoricalConditional", "Conditional", "NumericConditional"]

CHUNK = 10_000_000
"""Cumulative probabilities that are compared at once when quantiles are looked up."""

POINTS = 64
"""Quantiles inside a token that its moments are computed from."""


class Conditional(ABC):
    """p(target | given) for n queries, given that the target has a value.

    Results have shape (n,), or are scalars for the one query of a mapping. Values to evaluate at
    are a scalar, one value for each query (n,), or several for each (n, m) or (1, m); at a missing
    value the result is NaN.

    Arguments
    ---------
    column : Column
        The target.
    probabilities : ndarray, shape (n, n_values)
        Probability of each value token, rows summing to one.
    missing : ndarray, shape (n,)
        Probability that the target is missing; zeros where that is not modelled.
    index : Index, length n, or None
        Labels of the queries; None for the one query of a mapping.

    Attributes
    ----------
    column : Column
    mass : ndarray, shape (n, n_values)
    index : Index or None
    """

    def __init__(
        self, column: Any, probabilities: np.ndarray, missing: np.ndarray, index: pd.Index | None
    ) -> None:
        self.column = column
        self.index = index
        self.mass = probabilities
        self._missing = missing

    def __len__(self) -> int:
        return len(self.mass)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.column.name!r}, {len(self)} queries)"

    @property
    def missing(self) -> Any:
        """Probability that the target is missing."""
        return self._answer(self._missing)

    def pdf(self, x: Any) -> Any:
        """Return the mass or density (see the module) at ``x``; 0 at numbers not shown in training.

        Raises
        ------
        ValueError
            For a category that training did not show, as for other values that are none of the column's.
        """
        return np.exp(self.log_prob(x))

    def log_prob(self, x: Any) -> Any:
        """Return the logarithm of :meth:`pdf`, in nats."""
        return self._evaluate(self._log_prob_at, x)

    def _log_prob_at(self, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        token, inside = self._locate(x)
        with np.errstate(divide="ignore"):
            log_mass = np.log(self.mass[rows, token] * inside)
        return log_mass - self.column.log_extent[token]

    def entropy(self) -> Any:
        """Return the expected ``-log_prob`` of a draw, in nats."""
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = self.mass * (np.log(self.mass) - self.column.log_extent)
        return self._answer(-np.where(self.mass > 0, terms, 0.0).sum(axis=1))

    def sample(self, n: int = 1, *, random_state: int | None = None) -> Any:
        """Draw n values for each query, shape (queries, n), or (n,) for the query of a mapping.

        Without a seed every call draws anew, also where the model was given one.

        Raises
        ------
        ValueError
            For an n or a seed that is no whole number, or negative.
        """
        n = settings.read_count(n)
        settings.check_seed(random_state)
        fresh = int(np.random.SeedSequence().generate_state(1)[0])
        u = RowNoise(fresh if random_state is None else random_state, n).rows(0, len(self))
        return self._values_at(np.arange(len(self)).repeat(n), u.ravel(), u.shape)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the distributions, several queries overlaid, with matplotlib."""
        from macode_plugin.conditional_plot import plot

        return plot(self, ax)

    @abstractmethod
    def mode(self) -> Any:
        """Return the most probable value."""

    @abstractmethod
    def _locate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the token of each value, and whether it is a value of the training data's range."""

    @abstractmethod
    def _values_at(self, rows: np.ndarray, q: np.ndarray, shape: tuple[int, ...]) -> Any:
        """Return the values at cumulative probabilities ``q`` of queries ``rows``."""

    def _pair(self, x: Any) -> tuple[np.ndarray, Any, tuple[int, ...]]:
        """Return the query and the value of every evaluation asked for, and the result's shape."""
        x = x.to_numpy() if isinstance(x, (pd.Series, pd.DataFrame, pd.Index)) else np.asarray(x)
        n = len(self)
        if self.index is None:
            shape = (1, *x.shape) if x.ndim else (1,)
        elif x.ndim <= 1 and x.shape in ((), (n,)):
            shape = (n,)
        elif x.ndim == 2 and x.shape[0] in (1, n):
            shape = (n, x.shape[1])
        else:
            raise ValueError(
                f"values have shape {x.shape}; give one value, one for each of {n} queries, "
                f"or an array of shape ({n}, m) or (1, m)"
            )
        rows = np.broadcast_to(np.arange(n).reshape(-1, *[1] * (len(shape) - 1)), shape)
        return rows.ravel(), np.broadcast_to(x, shape).ravel(), shape

    def _evaluate(self, function: Callable[[np.ndarray, np.ndarray], np.ndarray], x: Any) -> Any:
        """Apply a function of queries and values to every evaluation; NaN at missing values."""
        rows, x, shape = self._pair(x)
        given = ~pd.isna(x)
        result = np.full(len(x), np.nan)
        result[given] = function(rows[given], x[given])
        return self._answer(result.reshape(shape))

    def _answer(self, result: np.ndarray) -> Any:
        return result if self.index is not None else result[0]

    def _token_at(self, rows: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the token that cumulative probabilities fall in, and how far inside, in [0, 1]."""
        if not ((q >= 0) & (q <= 1)).all():
            wrong = q[~((q >= 0) & (q <= 1))][0]
            raise ValueError(f"a cumulative probability must be between 0 and 1, however: {wrong}")
        upper = self.mass.cumsum(axis=1)
        upper[:, -1] = 1.0
        parts = np.array_split(np.arange(len(q)), math.ceil(q.size * upper.shape[1] / CHUNK) or 1)
        token = np.concatenate([(upper[rows[part]] < q[part, None]).sum(axis=1) for part in parts])
        mass = self.mass[rows, token]
        below = upper[rows, token] - mass
        return token, np.clip(np.divide(q - below, mass, out=np.zeros(len(q)), where=mass > 0), 0, 1)


class NumericConditional(Conditional):
    """Distribution of a column of numbers, dates or durations."""

    column: NumericColumn

    def cdf(self, x: Any) -> Any:
        """Return the probability of values up to and including ``x``."""
        return self._evaluate(self._cdf_at, x)

    def _cdf_at(self, rows: np.ndarray, x: np.ndarray) -> np.ndarray:
        ticks = self._ticks(x)
        cells, whole = self.column.cells, self.column.grid.whole
        token = cells.find(ticks)
        below = self.mass.cumsum(axis=1)[rows, token] - self.mass[rows, token]
        share = cells.share(token, ticks, whole=whole)
        upto = np.where(ticks >= cells.high[-1], 1.0, below + self.mass[rows, token] * share)
        return np.clip(upto, 0.0, 1.0)

    def icdf(self, q: Any) -> Any:
        """Return quantiles: the smallest value whose cumulative probability reaches ``q``.

        Raises
        ------
        ValueError
            For a probability outside [0, 1].
        """
        rows, q, shape = self._pair(q)
        return self._values_at(rows, q, shape)

    def interval(self, level: float = 0.9) -> tuple[Any, Any]:
        """Return the ends of the central interval that holds ``level`` of the probability."""
        return self.icdf((1 - level) / 2), self.icdf((1 + level) / 2)

    def mean(self) -> Any:
        """Return the expectation: floats for numbers, dates for dates."""
        mean = self.mass @ self._points().mean(axis=1)
        if self._plain:
            return self._answer(self._origin + mean)
        return self._answer(self.column.restore(moved(np.rint(mean), self._origin)).to_numpy())

    def variance(self) -> Any:
        """Return the variance, in the square of the column's unit.

        Raises
        ------
        TypeError
            For dates and durations.
        """
        if not self._plain:
            raise TypeError(
                f"column {self.column.name!r} holds {self.column.dtype} values, whose variance has "
                "no unit; use interval()"
            )
        points = self._points()
        points = points - points.mean()  # squares of large numbers would swallow a small variance
        first, second = self.mass @ points.mean(axis=1), self.mass @ (points**2).mean(axis=1)
        return self._answer(np.maximum(second - first**2, 0.0))

    def mode(self) -> Any:
        """Return the heaviest single value if no token is heavier, else the middle of the densest."""
        cells = self.column.cells
        single = cells.high == cells.low
        heaviest = self.mass.argmax(axis=1)
        density = np.where(single, -np.inf, np.log(self.mass + 1e-300) - self.column.log_extent)
        token = np.where(single[heaviest], heaviest, density.argmax(axis=1))
        return self._answer(self._restore(token, np.full(len(self), 0.5)))

    @property
    def _plain(self) -> bool:
        dtype = self.column.dtype
        return pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype)

    def _ticks(self, x: np.ndarray) -> np.ndarray:
        return self.column.ticks(pd.Series(x, name=self.column.name))

    def _locate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ticks, cells = self._ticks(x), self.column.cells
        token = cells.find(ticks)
        inside = (ticks >= cells.low[token]) & (ticks <= cells.high[token])
        return token, inside & (ticks == np.rint(ticks)) if self.column.grid.whole else inside

    @property
    def _origin(self) -> int:
        """The number that :meth:`_points` are counted from."""
        return self.column.grid.origin if self.column.grid.integer else 0

    def _points(self) -> np.ndarray:
        """Return values spread evenly over the mass of every token, shape (n_values, POINTS).

        Whole numbers are counted from the smallest, or those beyond 2**53 would lose digits.
        """
        cells = self.column.cells
        token = np.arange(len(cells)).repeat(POINTS)
        u = np.tile((np.arange(POINTS) + 0.5) / POINTS, len(cells))
        values = self.column.grid.values(cells.draw(token, u))
        if self.column.grid.integer:
            values = distances(values, self._origin)
        return values.astype(np.float64).reshape(len(cells), POINTS)

    def _restore(self, token: np.ndarray, u: np.ndarray) -> np.ndarray:
        values = self.column.grid.values(self.column.cells.draw(token, u))
        return self.column.restore(values).to_numpy()

    def _values_at(self, rows: np.ndarray, q: np.ndarray, shape: tuple[int, ...]) -> Any:
        return self._answer(self._restore(*self._token_at(rows, q)).reshape(shape))


class CategoricalConditional(Conditional):
    """Distribution of a categorical column."""

    column: CategoricalColumn

    @property
    def probs(self) -> pd.DataFrame:
        """The probability of every category, shape (n, n_values), a column for each category."""
        index = pd.RangeIndex(1) if self.index is None else self.index
        categories = pd.Index(list(self.column.values), tupleize_cols=False)
        return pd.DataFrame(self.mass, index=index, columns=categories)

    def mode(self) -> Any:
        """Return the most probable category."""
        return self._answer(self._categories(self.mass.argmax(axis=1)))

    def _categories(self, token: np.ndarray) -> np.ndarray:
        return self.column.decode(token, np.zeros(len(token))).to_numpy()

    def _locate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        token = self.column.encode(pd.Series(x, name=self.column.name, dtype=object))
        return token, np.ones(len(token), dtype=bool)

    def _values_at(self, rows: np.ndarray, q: np.ndarray, shape: tuple[int, ...]) -> Any:
        return self._answer(self._categories(self._token_at(rows, q)[0]).reshape(shape))
