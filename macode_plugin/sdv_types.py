"""What SDV's metadata says of a column, in the core's terms, and the model that SDV's class holds.

SDV says what a column means by its sdtype, the core by its dtype. A reader turns one into the
other and back, a :class:`TableModel` does so for a table. Nothing of SDV is imported here.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pandas as pd

from macode_plugin import dtypes
from macode_plugin.conditions import MISSING
from macode_plugin.estimator import MaCoDE

__all__ = [
    "AsIs",
    "Categories",
    "Dates",
    "Numbers",
    "Reader",
    "TableModel",
    "near",
    "rewrite",
    "span",
]

NEAR = 0.01
"""Share of the training values' span within which a number or a date counts as the one asked for."""


class Reader(Protocol):
    """Translates one column between the host's values and the core's."""

    def learn(self, series: pd.Series) -> pd.Series:
        """Return training values, shape (n,), with the dtype that the core is to see."""

    def given(self, series: pd.Series) -> pd.Series:
        """Return values of conditions, shape (n,), as the core reads them."""

    def restore(self, series: pd.Series) -> pd.Series:
        """Return drawn values, shape (n,), with the dtype of the training column."""


class AsIs:
    """A column that the core reads as it is, such as the output of a transformer."""

    def __init__(self, series: pd.Series) -> None:
        self.dtype = series.dtype

    def learn(self, series: pd.Series) -> pd.Series:
        """Return training values as they are."""
        return series

    def given(self, series: pd.Series) -> pd.Series:
        """Return values of conditions as they are."""
        return series

    def restore(self, series: pd.Series) -> pd.Series:
        """Return drawn values, which have the training dtype."""
        return series


class Numbers(AsIs):
    """Numbers of any dtype; pandas keeps some, such as whole numbers with gaps, as objects."""

    def learn(self, series: pd.Series) -> pd.Series:
        """Return training values with a numeric dtype."""
        return pd.to_numeric(series) if series.dtype == object else series

    def restore(self, series: pd.Series) -> pd.Series:
        """Return drawn values with the training dtype."""
        return series.astype(self.dtype)


class Categories(AsIs):
    """Values without distances, of any type, whatever dtype holds them.

    Arguments
    ---------
    series : Series
        The training column.
    order : sequence or None
        Its values in order, for an ordinal column; values left out go last. None: no order.
    """

    def __init__(self, series: pd.Series, order: Any = None) -> None:
        super().__init__(series)
        values = list(pd.unique(series.dropna().astype(object)))
        if order is not None:
            places = {value: i for i, value in enumerate(order)}
            values.sort(key=lambda value: (places.get(value, len(places)),))
        self.categories = pd.CategoricalDtype(pd.Index(values, dtype=object), order is not None)

    def learn(self, series: pd.Series) -> pd.Series:
        """Return training values as a pandas categorical."""
        return series.astype(object).astype(self.categories)

    def restore(self, series: pd.Series) -> pd.Series:
        """Return drawn values with the training dtype."""
        values = series.astype(object)
        if not isinstance(self.dtype, pd.CategoricalDtype):
            return values.astype(self.dtype)
        places = {value: i for i, value in enumerate(self.dtype.categories)}
        codes = values.map(places).fillna(-1).astype(np.int64)
        return pd.Series(
            pd.Categorical.from_codes(codes, dtype=self.dtype), series.index, name=series.name
        )


class Dates(AsIs):
    """Dates, as such or written out.

    Arguments
    ---------
    series : Series
        The training column.
    datetime_format : str or None
        How dates are written, in ``strftime``'s terms.
    """

    def __init__(self, series: pd.Series, datetime_format: str | None) -> None:
        super().__init__(series)
        self.format = datetime_format
        self.written = not pd.api.types.is_datetime64_any_dtype(series.dtype)
        self.zone = self._one_zone(series) if self.written else getattr(series.dtype, "tz", None)

    def learn(self, series: pd.Series) -> pd.Series:
        """Return training values as dates."""
        return self._named_parse(series, "it has") if self.written else _numpy_dates(series)

    def given(self, series: pd.Series) -> pd.Series:
        """Return dates, however they were given."""
        return self._named_parse(series, "the conditions give it")

    def restore(self, series: pd.Series) -> pd.Series:
        """Return drawn dates as the training column has them."""
        if not self.written:
            return series.astype(self.dtype)
        text = series.dt.strftime(self.format) if self.format else series.astype(str)
        if pd.api.types.is_numeric_dtype(self.dtype):
            return pd.to_numeric(text).astype(self.dtype)
        return text.astype(object).where(series.notna(), None).astype(self.dtype)

    def rewritten(self, series: pd.Series) -> pd.Series:
        """Return given dates written out; what is written already stays as it is."""
        text = series.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
        return self.restore(self.given(series)).where(~text, series)

    def _named_parse(self, series: pd.Series, whose: str) -> pd.Series:
        """Parse; an error says which column has, or is given, what cannot be read."""
        try:
            return self._parse(series)
        except (TypeError, ValueError) as error:
            example = series.dropna().iloc[0]
            how = f" written as {self.format!r}" if self.format else ""
            raise ValueError(
                f"column {series.name!r} holds dates{how}, and {whose} values such as "
                f"{example!r}: {dtypes.reason(error)}"
            ) from error

    def _parse(self, series: pd.Series) -> pd.Series:
        dates = _numpy_dates(series)
        if not pd.api.types.is_datetime64_any_dtype(dates.dtype):
            dates = self._read(series, utc=self._zoned or None)
        if self.zone is None:
            return dates
        # Times that tell no offset are those of the clock on the zone's wall.
        naive = dates.dt.tz is None
        return dtypes.localise(dates, self.zone) if naive else dates.dt.tz_convert(self.zone)

    @property
    def _zoned(self) -> bool:
        return "%z" in (self.format or "").lower()

    def _read(self, series: pd.Series, utc: bool | None = None) -> pd.Series:
        """Return dates of text and of numbers in the format; dates proper may stand among them."""
        if self.format is None:
            return pd.to_datetime(series, utc=utc)
        # "%-d" writes a day without its zero, which "%d" reads.
        plain = self.format.replace("%-", "%").replace("%#", "%")
        told = series.astype(object).map(_digits)
        try:
            return pd.to_datetime(told, format=plain, utc=utc)
        except ValueError:
            if self.written:
                raise
            return pd.to_datetime(told, format="ISO8601")  # a column of dates has no spelling

    def _one_zone(self, series: pd.Series) -> Any:
        """Return the offset that all dates are written with; UTC for several, None for none."""
        if not self._zoned:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            try:
                dates = self._read(series.dropna())
            except ValueError:
                return "UTC"
        return dates.dt.tz if pd.api.types.is_datetime64_any_dtype(dates.dtype) else "UTC"


def _digits(value: Any) -> Any:
    """Return a number as its digits, other values as they are; gaps make 20200512.0 of 20200512."""
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or pd.isna(value):
        return value
    if not float(value).is_integer():
        raise ValueError(f"{value} is no whole number; write dates with fractions as text")
    return str(int(value))


class TableModel:
    """A model of a table in the host's terms, with the host's manner of seeding.

    Arguments
    ---------
    density : MaCoDE
        Not fitted yet.
    readers : mapping of str to Reader
        For each column.
    at_times : collection of str
        Columns whose gaps in conditions are free cells, not missing ones.

    Attributes
    ----------
    loss_values : DataFrame
        Columns "Epoch", "Loss" and "Validation Loss", the latter two in nats a row.
    """

    def __init__(
        self, density: MaCoDE, readers: Mapping[str, Reader], at_times: Collection[str] = ()
    ) -> None:
        self.density = density
        self.readers = dict(readers)
        self.at_times = set(at_times)
        self.set_random_state(None)

    def fit(self, frame: pd.DataFrame) -> TableModel:
        """Learn a table, shape (n, p), which is not modified."""
        learned = {name: self.readers[name].learn(frame[name]) for name in frame.columns}
        self.density.fit(pd.DataFrame(learned, index=frame.index))
        return self

    def set_random_state(self, seed: int | None) -> None:
        """Start the series of draws that belongs to a seed; None for one that no other has."""
        self._seeds = np.random.SeedSequence(seed)

    def sample(
        self, n: int, conditions: pd.DataFrame | None = None, temperature: float = 1.0
    ) -> pd.DataFrame:
        """Draw rows.

        Arguments
        ---------
        n : int
        conditions : DataFrame, shape (n, any), or None
            Known cells; those that are missing are drawn missing.
        temperature : float

        Returns
        -------
        DataFrame, shape (n, p)

        Raises
        ------
        ValueError
            For a condition that training did not show; the message names it.
        """
        given = None if conditions is None else self._given(conditions, self.at_times)
        return self._draw(given, temperature, n=n)

    def _draw(
        self,
        given: pd.DataFrame | None,
        temperature: float,
        *,
        n: int | None = None,
        never_missing: Sequence[str] = (),
    ) -> pd.DataFrame:
        drawn = self.density.sample(
            n,
            conditions=given,
            temperature=temperature,
            never_missing=never_missing,
            random_state=int(self._seeds.spawn(1)[0].generate_state(1)[0]),
        )
        return pd.DataFrame({name: self.readers[name].restore(drawn[name]) for name in drawn.columns})

    def complete(
        self, drawn: pd.DataFrame, missing: pd.DataFrame, temperature: float = 1.0
    ) -> pd.DataFrame:
        """Draw values for missing cells of drawn rows that are to have one, given all others.

        Arguments
        ---------
        drawn : DataFrame, shape (n, p)
        missing : DataFrame of bool, shape (n, any)
            Which cells of which columns.
        temperature : float
        """
        rows = missing.any(axis=1)
        if not rows.any():
            return drawn
        known = self._given(drawn[rows], ()).mask(
            missing[rows].reindex(columns=drawn.columns, fill_value=False)
        )
        again = self._draw(known, temperature, never_missing=list(missing.columns))
        return pd.concat([drawn[~rows], again]).loc[drawn.index]

    @property
    def loss_values(self) -> pd.DataFrame:
        """The loss of each epoch, in nats a row."""
        history = pd.DataFrame(self.density.history_)
        names = {"epoch": "Epoch", "train_nll": "Loss", "validation_nll": "Validation Loss"}
        return history[list(names)].rename(columns=names)

    def _given(self, conditions: pd.DataFrame, free: Collection[str]) -> pd.DataFrame:
        """Return conditions for the core, with gaps as such but for those of free columns."""
        columns = {}
        for name in conditions.columns:
            values = self.readers[name].given(conditions[name])
            missing = values.isna()
            if missing.any() and name not in free:
                values = values.astype(object).where(~missing, MISSING)
            columns[name] = values
        return pd.DataFrame(columns, index=conditions.index)


def span(series: pd.Series) -> float:
    """Return how far apart the largest and the smallest number or date are, as :func:`near` counts."""
    known = series.dropna()
    if known.empty:
        return 0.0
    if pd.api.types.is_datetime64_any_dtype(known.dtype):
        return float((known.max() - known.min()) / pd.Timedelta(1, "s"))
    return float(known.max()) - float(known.min()) if _are_numbers(known.dtype) else 0.0


def near(drawn: pd.Series, asked: pd.Series, datetime_format: str | None, span: float) -> pd.Series:
    """Return whether drawn values are those asked for, shape (n,).

    Numbers and dates are within ``NEAR`` of the training values' ``span``, however they are given.
    """
    if datetime_format is not None or pd.api.types.is_datetime64_any_dtype(drawn.dtype):
        reader = Dates(drawn, datetime_format)
        got, wanted = (_seconds(reader.given(series)) for series in (drawn, asked))
    elif _are_numbers(drawn.dtype):
        got, wanted = (pd.to_numeric(series).astype("float64") for series in (drawn, asked))
    else:
        return (drawn.astype(object) == asked.astype(object)) | (drawn.isna() & asked.isna())
    return ((got - wanted).abs() <= NEAR * span) | (got.isna() & wanted.isna())


def _are_numbers(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype)


def _seconds(dates: pd.Series) -> pd.Series:
    return (dates - pd.Timestamp(0, tz=dates.dt.tz)) / pd.Timedelta(1, "s")


def _numpy_dates(series: pd.Series) -> pd.Series:
    """Return dates of Arrow as pandas' own, which have units, zones and their clocks on the wall."""
    if isinstance(series.dtype, pd.ArrowDtype) and series.dtype.kind == "M":
        return pd.Series(pd.DatetimeIndex(series), series.index, name=series.name)
    return series


def rewrite(asked: pd.Series, drawn: pd.Series, datetime_format: str | None) -> pd.Series:
    """Return values that were asked for as the drawn column has them, unchanged in value."""
    dtype = drawn.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Dates(drawn, datetime_format).given(asked).astype(dtype)
    if datetime_format is not None:
        return Dates(drawn, datetime_format).rewritten(asked)
    try:
        if pd.api.types.is_any_real_numeric_dtype(dtype) and asked.dtype == object:
            asked = pd.to_numeric(asked)
        cast = asked.astype(dtype)
    except (TypeError, ValueError):
        return asked
    if pd.api.types.is_float_dtype(dtype) and not isinstance(dtype, pd.CategoricalDtype):
        return cast  # single precision has its own nearest number
    same = (cast.astype(object) == asked.astype(object)) | (cast.isna() & asked.isna())
    return cast if same.all() else asked
