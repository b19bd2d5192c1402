"""The synthcity plugin: ``Plugins().get("macode")``.

Translates between synthcity's loaders, hyper-parameter names and constraints and
:class:`~macode_plugin.MaCoDE`; models nothing itself. Written against synthcity 0.2.12.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import synthcity.logger as log
import synthcity.plugins.core.plugin as core_plugin
import torch
from pydantic import ConfigDict, validate_call
from synthcity.plugins.core.constraints import Constraints
from synthcity.plugins.core.dataloader import DataLoader, GenericDataLoader, create_from_info
from synthcity.plugins.core.distribution import (
    CategoricalDistribution,
    Distribution,
    FloatDistribution,
    IntegerDistribution,
)
from synthcity.plugins.core.plugin import Plugin
from synthcity.plugins.core.schema import Schema
from synthcity.utils.constants import DEVICE

from macode_plugin.estimator import MaCoDE
from macode_plugin.progress import figures
from macode_plugin.settings import check, check_temperature, check_whole

__all__ = ["MaCoDEPlugin", "register"]

OPERATOR_NAMES = {"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "=="}
"""synthcity's second names for its operators."""

TABLES = ("generic", "survival_analysis")
"""The host's kinds of data whose rows are taken as independent draws."""

TRAINING_CONDITION = "cond"
"""Column that carries the condition given at fit, with underscores where the table has such a column."""

_any_type = ConfigDict(arbitrary_types_allowed=True)


class MaCoDEPlugin(Plugin):
    """MaCoDE: masked conditional density estimation, with native constraints and conditions.

    Values keep their raw types (strings, categories, booleans, dates to the nanosecond,
    integers), missing cells are learned and generated. Rows are drawn under constraints, not
    filtered: exactly ``count`` rows come back, however rare the rule.

    Args:
        n_iter: int, optional
            Epochs; None chooses by the number of rows.
        n_bins: int, optional
            Tokens that a continuous column is cut into; None chooses by the number of rows.
        width: int
            Width of the transformer, an even number.
        n_layers: int, optional
            Layers of the transformer; None chooses by the number of rows.
        batch_size: int, optional
            Rows of a training step; None chooses by the number of rows.
        lr: float
            Peak learning rate.
        weight_decay: float
            Weight decay of the optimizers.
        n_iter_print: int
            Epochs between two lines of the log.
        temperature: float
            Flattens (above 1) or sharpens what is generated; the paper's tau. It is a knob, not
            differential privacy.
        device: str or torch.device
            Where to train.
        random_state: int
            Seed of the model's own generators; the plugin leaves global ones as they are. (The
            host seeds those elsewhere: at imports, in its benchmark, in plugins of its own.)
        workspace: Path
            The host's folder for intermediate results; unused.
        compress_dataset: bool
            The host's removal of redundant columns; unused, since all columns are modelled.
        sampling_patience: int
            The host's limit of rejection rounds; unused, since nothing is rejected.

    Example:
        >>> from sklearn.datasets import load_iris
        >>> from synthcity.plugins import Plugins
        >>> import macode_plugin
        >>>
        >>> X, y = load_iris(as_frame=True, return_X_y=True)
        >>> X["target"] = y
        >>>
        >>> plugin = Plugins().get("macode", n_iter=20)
        >>> plugin.fit(X)
        >>>
        >>> plugin.generate(50)

    References:
        An et al., AAAI 2025, https://arxiv.org/abs/2405.20602
    """

    @validate_call(config=_any_type)
    def __init__(
        self,
        n_iter: int | None = None,
        n_bins: int | None = None,
        width: int = 64,
        n_layers: int | None = None,
        batch_size: int | None = None,
        lr: float = 2e-3,
        weight_decay: float = 1e-3,
        n_iter_print: int = 50,
        temperature: float = 1.0,
        device: Any = DEVICE,
        random_state: int = 0,
        # core plugin arguments
        workspace: Path = Path("workspace"),
        compress_dataset: bool = False,
        sampling_patience: int = 500,
        **kwargs: Any,
    ) -> None:
        with _global_generators_kept():
            super().__init__(
                device=device,
                random_state=random_state,
                sampling_patience=sampling_patience,
                workspace=workspace,
                compress_dataset=compress_dataset,
                **kwargs,
            )
        check_temperature(temperature)
        if n_iter is not None:
            check_whole("n_iter", n_iter, " or None")
        check_whole("n_iter_print", n_iter_print)
        self.n_iter = n_iter
        self.n_bins = n_bins
        self.width = width
        self.n_layers = n_layers
        self.batch_size = batch_size
        self.lr = lr
        self.weight_decay = weight_decay
        self.n_iter_print = n_iter_print
        self.temperature = temperature
        check(self._density().get_params(deep=False))

    @staticmethod
    def name() -> str:
        """Return the name that ``Plugins().get`` knows."""
        return "macode"

    @staticmethod
    def type() -> str:
        """Return the host's category."""
        return "generic"

    @staticmethod
    def hyperparameter_space(**kwargs: Any) -> list[Distribution]:
        """Return the ranges that the host's search draws from."""
        return [
            IntegerDistribution(name="n_iter", low=20, high=500, step=20),
            IntegerDistribution(name="n_bins", low=10, high=200, step=10),
            CategoricalDistribution(name="width", choices=[32, 64, 128]),
            IntegerDistribution(name="n_layers", low=1, high=3),
            CategoricalDistribution(name="batch_size", choices=[32, 64, 128, 256, 512]),
            FloatDistribution(name="lr", low=5e-4, high=4e-3),
            CategoricalDistribution(name="weight_decay", choices=[1e-4, 1e-3, 1e-2, 1e-1]),
        ]

    @classmethod
    def sample_hyperparameters_optuna(cls, trial: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Let an optuna trial choose; unlike the host's own, it works with optuna 5 as well."""
        chosen = {}
        for parameter in cls.hyperparameter_space(*args, **kwargs):
            name = parameter.name
            if isinstance(parameter, CategoricalDistribution):
                chosen[name] = trial.suggest_categorical(name, parameter.choices)
            elif isinstance(parameter, IntegerDistribution):
                chosen[name] = trial.suggest_int(
                    name, parameter.low, parameter.high, step=parameter.step
                )
            else:
                chosen[name] = trial.suggest_float(name, parameter.low, parameter.high)
        return chosen

    def fit(self, X: DataLoader | pd.DataFrame, *args: Any, **kwargs: Any) -> MaCoDEPlugin:
        """Learn a table, as it is: the host's encoding into codes is left out.

        Args:
            X: DataLoader or DataFrame
                The table. The host's schema knows numbers, objects, categories, booleans and dates;
                other columns, such as durations or pandas' strings, it refuses.
            cond: frame, Series or array, optional
                A training condition in the host's old manner, one value a row. Not needed to
                generate under conditions on the table's own columns.

        Raises:
            TypeError: for anything else that is given, such as arguments of ``MaCoDE.fit``.
        """
        _check_arguments("fit", args, kwargs, ("cond",))
        if not isinstance(X, (DataLoader, pd.DataFrame)):
            raise TypeError(
                f"macode learns a DataLoader or a DataFrame, however: got {type(X).__name__}"
            )
        loader = GenericDataLoader(X.copy()) if isinstance(X, pd.DataFrame) else X
        if loader.type() not in TABLES:
            raise ValueError(
                f"macode learns tables of independent rows ({', '.join(TABLES)}), however: the data is "
                f"{loader.type()}"
            )
        self.fitted = False
        self.data_info = loader.info()
        self._schema = Schema(
            data=loader, sampling_strategy=self.sampling_strategy, random_state=self.random_state
        )
        self._training_schema = self._schema
        self._data_encoders = None
        self.expecting_conditional = kwargs.get("cond") is not None
        self._fit(loader, *args, **kwargs)
        self.fitted = True
        return self

    def _fit(self, X: DataLoader, *args: Any, **kwargs: Any) -> MaCoDEPlugin:
        frame = X.dataframe()
        self._columns = list(frame.columns)
        self._condition = TRAINING_CONDITION
        while self._condition in self._columns:
            self._condition += "_"
        self._condition_names = _names(kwargs.get("cond"))
        if self.expecting_conditional:
            frame = frame.assign(**{self._condition: _as_condition(kwargs["cond"], len(frame))})
        self.density = self._density().fit(frame, callback=self._log)
        return self

    def _density(self) -> MaCoDE:
        return MaCoDE(
            epochs="auto" if self.n_iter is None else self.n_iter,
            n_bins="auto" if self.n_bins is None else self.n_bins,
            width=self.width,
            n_layers="auto" if self.n_layers is None else self.n_layers,
            batch_size="auto" if self.batch_size is None else self.batch_size,
            lr=self.lr,
            weight_decay=self.weight_decay,
            missing="model",
            device=str(self.device),
            random_state=self.random_state,
        )

    def _log(self, record: dict[str, float]) -> None:
        if record["epoch"] % self.n_iter_print == 0:
            told = ", ".join(f"{name} {figure}" for name, figure in figures(record).items())
            log.info(f"macode epoch {record['epoch']}: {told} nats a row")

    def generate(
        self,
        count: int | None = None,
        constraints: Constraints | None = None,
        random_state: int | None = None,
        **kwargs: Any,
    ) -> DataLoader:
        """Draw exactly ``count`` rows that keep every rule.

        Args:
            count: int, optional
                Rows; by default as many as ``cond`` has, or else as many as were learned.
            constraints: Constraints, optional
                Rules with any of the host's operators, on columns of any type. Rows follow the
                model's distribution restricted to the rules (``MaCoDE.sample``); rules also hold
                where the host would let a missing value pass.
            random_state: int, optional
                Seed of this draw.
            cond: DataFrame, mapping, Series or array, optional
                Values of the table's columns, by their names, which come back exactly; or, without names
                or under a name that no column has, values for the ``cond`` of fit, one for each row.
            temperature: float, optional
                In place of the constructor's.

        Raises:
            ValueError: for a rule that nothing satisfies; the message names it.
            TypeError: for anything else that is given.
        """
        _check_arguments("generate", (), kwargs, ("cond", "temperature"))
        if not self.fitted:
            raise RuntimeError("Fit the generator first")
        if isinstance(constraints, Mapping):
            constraints = Constraints(**constraints)
        if count is None:
            cond: Any = kwargs.get("cond")
            count = len(cond) if np.ndim(cond) else self.data_info["len"]
        return self._generate(
            count=count,
            syn_schema=self.schema(),
            rules=[] if constraints is None else constraints.rules,
            random_state=random_state,
            **kwargs,
        )

    def _generate(self, count: int, syn_schema: Schema, **kwargs: Any) -> DataLoader:
        frame = self.density.sample(
            count,
            conditions=self._conditions(kwargs.get("cond"), count),
            constraints=self._rules(kwargs.get("rules", [])),
            temperature=kwargs.get("temperature", self.temperature),
            random_state=kwargs.get("random_state"),
        )
        frame = frame[self._columns].reset_index(drop=True)
        return create_from_info(frame, self.data_info)

    def _conditions(self, cond: Any, count: int) -> Mapping[Any, Any] | pd.DataFrame | None:
        if cond is None or isinstance(cond, Mapping):
            return cond
        names = _names(cond)
        if names and set(names) <= set(self._columns):
            return cond.to_frame() if isinstance(cond, pd.Series) else cond
        unknown = [name for name in names if name not in self._columns + self._condition_names]
        if unknown or not self.expecting_conditional:
            which = (
                f"names {unknown[0]!r}, which is no column of the table" if unknown else "has no names"
            )
            raise ValueError(
                f"cond {which}, nor what the model was fitted with as cond; "
                "give a mapping or a DataFrame of the table's columns"
            )
        return pd.DataFrame({self._condition: _as_condition(cond, count)})

    def _rules(self, rules: list[tuple[str, str, Any]]) -> list[tuple[str, str, Any]]:
        """Return the host's rules under the core's operators, having checked those on dtypes."""
        kept = []
        for column, operator, value in rules:
            if operator == "dtype":
                self._check_dtype(column, value)
            else:
                kept.append((column, OPERATOR_NAMES.get(operator, operator), value))
        return kept

    def _check_dtype(self, column: str, wanted: str) -> None:
        if column not in self._columns:
            raise ValueError(
                f"rule ({column!r}, 'dtype', {wanted!r}): the table has no column {column!r}"
            )
        found = str(self.density.sample(0, random_state=0)[column].dtype)
        if wanted.lower() not in found.lower():
            raise ValueError(
                f"rule ({column!r}, 'dtype', {wanted!r}) cannot be met: the column is {found}"
            )


def _check_arguments(
    method: str, args: tuple[Any, ...], given: Iterable[str], known: tuple[str, ...]
) -> None:
    """Raise a TypeError for arguments that would have no effect."""
    unknown = [name for name in given if name not in known]
    if unknown or args:
        what = f"an argument {unknown[0]!r}" if unknown else "positional arguments beyond the first"
        raise TypeError(f"macode's {method} has no {what}; it takes {' and '.join(known)}")


def _names(cond: Any) -> list[str]:
    """Return the columns that a condition names; the numbers of unnamed ones are no names."""
    labels = cond.columns if isinstance(cond, pd.DataFrame) else [getattr(cond, "name", None)]
    return [label for label in labels if isinstance(label, str)]


def _as_condition(cond: Any, n_rows: int) -> np.ndarray:
    """Return a condition in the host's old manner as one array of ``n_rows`` values."""
    values = np.asarray(cond)
    values = (
        values.reshape(len(values), -1 if values.size else 1)
        if values.ndim
        else np.full((n_rows, 1), values)
    )
    if values.shape != (n_rows, 1):
        raise ValueError(f"cond must have one value for each of {n_rows} rows, however: {values.shape}")
    return values[:, 0]


@contextmanager
def _global_generators_kept() -> Iterator[None]:
    """Put the process's generators back: Python's, numpy's, torch's on the CPU and on CUDA devices."""
    pythons, numpys = random.getstate(), np.random.get_state()  # noqa: NPY002
    cuda_in_use = torch.cuda.is_initialized()
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if cuda_in_use else ()):
            yield
    finally:
        random.setstate(pythons)
        np.random.set_state(numpys)  # noqa: NPY002
        # A seed waits for a device that is not in use yet: the last one that torch was given.
        if not cuda_in_use:
            torch.cuda.manual_seed_all(torch.initial_seed())


def register() -> None:
    """Make the plugin known to synthcity under its name; again after the host's ``reload()``."""
    # Through the module, not an imported name: the host's reload() puts a new dict there.
    core_plugin.PLUGIN_REGISTRY[MaCoDEPlugin.name()] = MaCoDEPlugin


register()
