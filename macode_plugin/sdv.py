"""``MaCoDESynthesizer``: MaCoDE among SDV's single-table synthesizers.

Translates between SDV's metadata, constraints and conditions and :class:`~macode_plugin.MaCoDE`;
models nothing itself. Written against SDV 1.38.1 and 2.0.0, whose hooks for synthesizers are alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

try:
    from sdv.errors import NotFittedError
    from sdv.single_table.base import FIXED_RNG_SEED, BaseSingleTableSynthesizer
except ModuleNotFoundError as error:
    raise ImportError(
        'MaCoDESynthesizer needs SDV, 1.30 or later: pip install "macode-plugin[sdv]"'
    ) from error

from macode_plugin import settings
from macode_plugin.estimator import MaCoDE
from macode_plugin.sdv_constraints import (
    any_programmed,
    applied,
    at_times,
    kept,
    lacking,
    reader_of,
    with_gaps,
)
from macode_plugin.sdv_types import (
    AsIs,
    Categories,
    Dates,
    Numbers,
    Reader,
    TableModel,
    near,
    rewrite,
    span,
)

__all__ = ["MaCoDESynthesizer"]

UNABLE = "Unable to sample any rows for the given conditions"
"""How an error has to begin for SDV to pass its message on; it hides all others."""

NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
"""Columns of numbers, as pandas infers them, whatever dtype holds them."""

LEAST_CANDIDATES = 1000
"""Rows drawn at least in every further try, where some of the known rows could not be met yet."""


class MaCoDESynthesizer(BaseSingleTableSynthesizer):
    """MaCoDE as an SDV synthesizer: exact conditional samples, missing values that are modelled.

    The metadata says what each column is. Keys and personal data are generated, never learned;
    all other columns are learned as they are, gaps included. Known values come back exactly, with
    one draw for many rows, whatever they are.

    Arguments
    ---------
    metadata : sdv.metadata.Metadata
    enforce_min_max_values, enforce_rounding : bool
        SDV's clipping and rounding. Draws are within the training range and on the data's own
        decimals by themselves, and so also where these are False.
    locales : list of str, str or None
        Of generated personal data; None for ``["en_US"]``.
    epochs : int or "auto"
        Passes over the rows; "auto" chooses by their number.
    batch_size : int or "auto"
        Rows of a training step; "auto" chooses by the number of rows.
    n_bins : int or "auto"
        Tokens that a continuous column is cut into; "auto" chooses by the number of rows.
    width : int
        Width of the transformer, an even number.
    n_layers : int or "auto"
        Layers of the transformer; "auto" chooses by the number of rows.
    lr : float
        Peak learning rate.
    weight_decay : float
        Weight decay of the optimizers.
    temperature : float
        Flattens (above 1) or sharpens what is sampled; the paper's tau. It is a knob, not
        differential privacy. Each sampling method takes one for that call.
    random_state : int or None
        Seed of fitting. (The first sample after fitting is seeded by SDV.)
    verbose : bool
        Show a progress bar over epochs.
    enable_gpu : bool
        Use an accelerator if there is one.
    cuda : bool, str or None
        SDV 1's name for it, or a torch device; decides if it is not None.

    Raises
    ------
    ValueError
        For a parameter that is impossible; the message names it.

    References
    ----------
    An et al., AAAI 2025, https://arxiv.org/abs/2405.20602
    """

    # None hands a column's raw values to the model. SDV's own transformers replace missing values,
    # and its encoder of dates misreads all that are not counted in nanoseconds.
    _model_sdtype_transformers = dict.fromkeys(
        ("numerical", "datetime", "categorical", "boolean", "ordinal")
    )

    def __init__(
        self,
        metadata: Any,
        enforce_min_max_values: bool = True,
        enforce_rounding: bool = True,
        locales: Any = None,
        epochs: int | str = "auto",
        batch_size: int | str = "auto",
        n_bins: int | str = "auto",
        width: int = 64,
        n_layers: int | str = "auto",
        lr: float = 2e-3,
        weight_decay: float = 1e-3,
        temperature: float = 1.0,
        random_state: int | None = None,
        verbose: bool = False,
        enable_gpu: bool = True,
        cuda: bool | str | None = None,
    ) -> None:
        super().__init__(
            metadata=metadata,
            enforce_min_max_values=enforce_min_max_values,
            enforce_rounding=enforce_rounding,
            locales=["en_US"] if locales is None else locales,
        )
        self.epochs = epochs
        self.batch_size = batch_size
        self.n_bins = n_bins
        self.width = width
        self.n_layers = n_layers
        self.lr = lr
        self.weight_decay = weight_decay
        self.temperature = _checked(temperature)
        self.random_state = random_state
        self.verbose = verbose
        self.enable_gpu = enable_gpu
        self.cuda = cuda
        self._call_temperature = self.temperature
        settings.check(self._density().get_params(deep=False))

    def add_constraints(self, constraints: list[Any]) -> None:
        """Add SDV's constraints, any number of any kinds; before fitting."""
        super().add_constraints([with_gaps(one) for one in constraints])
        # It rebuilds what holds the transformers, with SDV's own.
        self._update_default_transformers()

    def get_loss_values(self) -> pd.DataFrame:
        """Return the loss of each epoch in nats a row: "Epoch", "Loss", "Validation Loss".

        Raises
        ------
        sdv.errors.NotFittedError
        """
        if not self._fitted:
            raise NotFittedError("there are no loss values before fit; call fit first")
        if self._model is None:
            return pd.DataFrame(columns=["Epoch", "Loss", "Validation Loss"])
        return self._model.loss_values

    def get_loss_values_plot(self, title: str = "MaCoDE loss function") -> Any:
        """Return a plotly figure of :meth:`get_loss_values`."""
        import plotly.express

        losses = self.get_loss_values()
        figure = plotly.express.line(losses, x="Epoch", y=["Loss", "Validation Loss"], title=title)
        return figure.update_layout(
            yaxis_title="Loss (nats a row)", legend_title_text="", template="plotly_white"
        )

    def sample(self, num_rows: int, *args: Any, temperature: float | None = None, **kwargs: Any) -> Any:
        """Sample rows as SDV's synthesizers do, with its arguments in the installed version.

        Arguments
        ---------
        num_rows : int
        temperature : float or None
            For this call, in place of the constructor's.
        """
        with self._at(temperature):
            return super().sample(num_rows, *args, **kwargs)

    def sample_from_conditions(
        self, conditions: list[Any], *args: Any, temperature: float | None = None, **kwargs: Any
    ) -> Any:
        """Sample rows that have given values, with SDV's arguments in the installed version.

        Arguments
        ---------
        conditions : list of sdv.sampling.Condition or DataFrameCondition
            A missing value asks for rows in which it is missing.
        temperature : float or None
            For this call, in place of the constructor's.

        Raises
        ------
        ValueError
            For a category, or a number or date outside the training range; the message names it.
        """
        with self._at(temperature):
            return super().sample_from_conditions(conditions, *args, **kwargs)

    def sample_remaining_columns(
        self, known_columns: pd.DataFrame, *args: Any, temperature: float | None = None, **kwargs: Any
    ) -> Any:
        """Sample the other columns of known rows, with SDV's arguments in the installed version.

        Arguments
        ---------
        known_columns : DataFrame, shape (n, any)
            Order and index are kept. A missing value asks for a row in which it is missing.
        temperature : float or None
            For this call, in place of the constructor's.

        Raises
        ------
        ValueError
            For a category, or a number or date outside the training range; the message names it.
        """
        with self._at(temperature):
            return super().sample_remaining_columns(known_columns, *args, **kwargs)

    @contextmanager
    def _at(self, temperature: float | None) -> Iterator[None]:
        # SDV's sampling methods hand nothing of ours on, so the object carries it meanwhile.
        self._call_temperature = self.temperature if temperature is None else _checked(temperature)
        try:
            yield
        finally:
            self._call_temperature = self.temperature

    def _density(self) -> MaCoDE:
        accelerator = self.enable_gpu if self.cuda is None else self.cuda
        device = accelerator if isinstance(accelerator, str) else "auto" if accelerator else "cpu"
        return MaCoDE(
            epochs=self.epochs,
            batch_size=self.batch_size,
            n_bins=self.n_bins,
            width=self.width,
            n_layers=self.n_layers,
            lr=self.lr,
            weight_decay=self.weight_decay,
            missing="model",
            device=device,
            random_state=self.random_state,
            verbose=self.verbose,
        )

    def _validate_transform_constraints(
        self, table: pd.DataFrame, enforce_constraint_fitting: bool = False
    ) -> pd.DataFrame:
        if enforce_constraint_fitting or not self._constraints_fitted:
            self._learn_scales(table)
        return super()._validate_transform_constraints(table, enforce_constraint_fitting)

    def _learn_scales(self, table: pd.DataFrame) -> None:
        """Learn how dates are written, and what is near for numbers and dates."""
        self._formats: dict[str, str | None] = {}
        self._spans = dict.fromkeys(table.columns, 0.0)
        for name in table.columns:
            described = self._original_metadata.tables[self._table_name].columns[name]
            if described["sdtype"] in ("numerical", "datetime"):
                reader = reader_of(table[name], described)
                self._formats[name] = getattr(reader, "format", None)
                self._spans[name] = span(reader.learn(table[name]))

    def _fit(self, processed_data: pd.DataFrame) -> None:
        readers = {name: self._reader(processed_data[name]) for name in processed_data.columns}
        for name, reader in readers.items():
            if isinstance(reader, (Numbers, Dates)):
                # Draws are written as the data is. SDV's formatters round 16 digits to 15, beyond the
                # largest value perhaps, and take days of "%-d/%m" for months.
                self._data_processor.formatters.pop(name, None)
        free = at_times(self._chained_constraints)
        self._model = TableModel(self._density(), readers, free).fit(processed_data)

    def _reader(self, series: pd.Series) -> Reader:
        """Return the reader that a column of the preprocessed table needs."""
        name = series.name
        described = self._data_processor.metadata.columns.get(name)
        if described is None or self._transformers().get(name) is not None:
            return AsIs(series)
        if described["sdtype"] == "numerical":
            return Numbers(series)
        if described["sdtype"] == "datetime":
            dates = Dates(series, self._data_processor.formatters[name].datetime_format)
            if not isinstance(series.dtype, pd.CategoricalDtype):
                return dates
            known = series.drop_duplicates().dropna()  # such a column holds no others
            return Categories(series, known.astype(object).iloc[dates.learn(known).argsort()].tolist())
        if described["sdtype"] == "ordinal":
            return Categories(series, self._order(series, described.get("range_values")))
        return Categories(series)

    def _order(self, series: pd.Series, listed: list[Any] | None) -> list[Any]:
        """Return an ordinal column's values in order: that of numbers, or as the metadata lists them.

        SDV's detection lists the numbers of a column as they first occur.
        """
        numbers = pd.api.types.infer_dtype(series, skipna=True) in NUMBERS
        return sorted(series.dropna().unique()) if numbers or not listed else listed

    def _transformers(self) -> dict[Any, Any]:
        """Return the transformer of each column that is left after constraints."""
        listed = self._data_processor._hyper_transformer.field_transformers
        # Several columns that are generated together, as of an address, have one.
        return {
            name: transformer
            for names, transformer in listed.items()
            for name in (names if isinstance(names, tuple) else (names,))
        }

    def _sample(self, num_rows: int, conditions: pd.DataFrame | None = None) -> pd.DataFrame:
        drawn = self._model.sample(num_rows, conditions, self._call_temperature)
        missing = lacking(self._chained_constraints, drawn)
        return self._model.complete(drawn, missing, self._call_temperature)

    def _sample_with_conditions(
        self,
        conditions: pd.DataFrame,
        max_tries_per_batch: int,
        batch_size: int | None,
        progress_bar: Any = None,
        output_file_path: str | None = None,
    ) -> pd.DataFrame:
        """Draw a row for each row of conditions, in their order and with their index.

        SDV's own method draws for each distinct row by itself; this one for all rows of a batch.
        """
        if self._model and not self._random_state_set:
            self._set_random_state(FIXED_RNG_SEED)
        known = conditions.reset_index(drop=True)
        try:
            self._check_keys(known)
            given = self._given(known)
        except ValueError as error:
            raise ValueError(f"{UNABLE}: {error}") from error
        step = batch_size or max(len(known), 1)
        batches = []
        for start in range(0, max(len(known), 1), step):
            part = slice(start, start + step)
            try:
                rows = self._complete(known.iloc[part], given.iloc[part], max_tries_per_batch)
            except ValueError as error:
                raise ValueError(f"{UNABLE}: {error}") from error
            if output_file_path:
                # SDV calls this method for each group of conditions, with one file for all.
                empty = not Path(output_file_path).exists() or not Path(output_file_path).stat().st_size
                rows.to_csv(output_file_path, mode="a", header=empty, index=False)
            if progress_bar is not None:
                progress_bar.update(len(rows))
            batches.append(rows)
        sampled = pd.concat(batches)
        return sampled.set_axis(conditions.index[sampled.index], axis=0)

    def _check_keys(self, known: pd.DataFrame) -> None:
        """Raise an error where rows would share an alternate key; SDV takes no known primary key."""
        for key in self._original_metadata.tables[self._table_name].alternate_keys or ():
            if key in known.columns and known[key].duplicated().any():
                value = known[key][known[key].duplicated()].iloc[0]
                raise ValueError(
                    f"column {key!r} is an alternate key, however: {value!r} is asked for in several "
                    "rows; give each row a value of its own, or leave the column out"
                )

    def _given(self, known: pd.DataFrame) -> pd.DataFrame:
        """Return what known columns say of the columns of the model, with the same index."""
        known = applied(self._chained_constraints, known)
        transformers = self._transformers()
        columns = [name for name in known.columns if name in transformers]
        if not columns:
            return known[[]]
        given = self._data_processor.transform(known[columns], is_condition=True)
        return given.set_axis(known.index, axis=0)

    def _complete(self, known: pd.DataFrame, given: pd.DataFrame, max_tries: int) -> pd.DataFrame:
        """Draw a row for each known one, in ``max_tries`` tries; its index tells which were met."""
        found = []
        pending = known.index
        candidates = pending
        for _ in range(max_tries):
            rows = self._candidates(known.loc[candidates], given.loc[candidates])
            rows = rows[~rows.index.duplicated()]
            found.append(rows)
            pending = pending.difference(rows.index)
            if pending.empty:
                break
            copies = max(10 * len(known), LEAST_CANDIDATES) // len(pending)
            candidates = pending.repeat(copies)
        return pd.concat(found).sort_index() if found else known.iloc[:0]

    def _candidates(self, known: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
        """Draw once for each known row and return the rows that agree with it."""
        places = known.index
        known, given = known.reset_index(drop=True), given.reset_index(drop=True)
        drawn = known[[]] if self._model is None else self._sample(len(known), given)
        rows = self._data_processor.reverse_transform(drawn)
        rows = self.reverse_transform_constraints(rows)
        free = self._not_held(known, given)
        for name in free:
            asked = known.loc[rows.index, name]
            rows = rows[near(rows[name], asked, self._formats.get(name), self._spans[name])]
        for name in known.columns:
            rows[name] = rewrite(known.loc[rows.index, name], rows[name], self._formats.get(name))
        if free and len(rows):
            rows = rows[kept(self._reject_sampling_constraints, self._chained_constraints, rows)]
        return rows.set_axis(places[rows.index], axis=0)

    def _not_held(self, known: pd.DataFrame, given: pd.DataFrame) -> list[str]:
        """Return the known columns whose values a draw does not hold to by itself."""
        transformers = self._transformers()
        generated = {
            name
            for name, transformer in transformers.items()
            if transformer is not None and transformer.is_generator()
        }
        programmed = any_programmed(self._chained_constraints)
        held = {name for name in given.columns if transformers.get(name) is None and not programmed}
        return [name for name in known.columns if name not in held | generated]


def _checked(temperature: float) -> float:
    settings.check_temperature(temperature)
    return temperature
