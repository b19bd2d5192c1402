"""What a training run is to do: the search for the best epoch, then all rows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Plan", "Refit"]


@dataclass(frozen=True)
class Plan:
    """How a network is fitted; every field is the parameter of the same name of ``MaCoDE``."""

    optimizer: str
    epochs: int
    batch_size: int
    lr: float
    weight_decay: float
    schedule: str
    ema_decay: float
    patience: int | None
    refit: bool
    max_time: float | None

    @classmethod
    def of(cls, parameters: dict[str, Any], max_time: float | None) -> Plan:
        """Return the plan that a model's parameters make, none of which is "auto" any more."""
        names = {field.name for field in fields(cls)} - {"max_time"}
        return cls(max_time=max_time, **{name: parameters[name] for name in names})


@dataclass(frozen=True)
class Refit:
    """Where training over all rows began, and what it takes.

    Arguments
    ---------
    epoch, step : int
        Finished ones when it began.
    seconds : float
        Taken when it began.
    n_epochs : int
        Its own epochs.
    rate : float
        The learning rate's factor when it began.
    """

    epoch: int
    step: int
    seconds: float
    n_epochs: int
    rate: float
