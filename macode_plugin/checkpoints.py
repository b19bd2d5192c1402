"""Saving a training run as it goes, and continuing it."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from torch import Tensor

from macode_plugin import storage
from macode_plugin.training import Trainer

__all__ = ["Keeper", "load"]

INTERVAL = 15.0
"""Seconds between two saved states, at least."""

NOT_TRAINING = ("verbose", "device", "stratified")
"""Parameters that may change between the parts of a run."""


def load(path: str | Path | None) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Return a checkpoint's description (``seeds`` in it) and tensors, or None without a file.

    Raises
    ------
    ModelFileError
        If the file is no whole, unaltered checkpoint.
    """
    if path is None or not Path(path).exists():
        return None
    return storage.read(path, "checkpoint")


class Keeper:
    """Keeps a trainer's state in a file; does nothing without a path.

    Arguments
    ---------
    path : path or None
    trainer : Trainer
    parameters : dict
        The estimator's parameters, in JSON's types; a file of other parameters or data is refused.
    seeds : list of int
        The seeds of the run.
    table : dict
        The schema, in JSON's types: tokens alone do not tell what they stand for.
    """

    def __init__(
        self,
        path: str | Path | None,
        trainer: Trainer,
        parameters: dict[str, Any],
        seeds: list[int],
        table: dict[str, Any],
    ) -> None:
        self.path = None if path is None else Path(path)
        self.seeds = seeds
        self.trainer = trainer
        self.table = table
        self.parameters = {k: v for k, v in parameters.items() if k not in NOT_TRAINING}
        self.saved_at = time.monotonic()

    def resume(self, saved: tuple[dict[str, Any], dict[str, Tensor]] | None) -> None:
        """Continue from what :func:`load` found in the file, if there was one.

        Raises
        ------
        ValueError
            If the file belongs to other data or parameters.
        """
        if saved is None:
            return
        description, tensors = saved
        if description["parameters"] != self.parameters or description["data"] != self._data():
            raise ValueError(
                f"checkpoint {self.path} belongs to other data or parameters; "
                "delete it or choose another path"
            )
        self.trainer.load_state(description["trainer"], tensors)

    def epoch_done(self) -> None:
        """Save the state, unless it was saved just before."""
        if self.path is not None and time.monotonic() - self.saved_at >= INTERVAL:
            self._save()

    def training_ended(self) -> None:
        """Remove the file of a complete run; save the state of one that was stopped.

        One stopped within an epoch keeps the file as last saved, since the part of an epoch
        could not be continued exactly.
        """
        if self.path is None:
            return
        if self.trainer.finished:
            self.path.unlink(missing_ok=True)
        elif self.trainer.between_epochs:
            self._save()

    def _save(self) -> None:
        numbers, tensors = self.trainer.state()
        description = {
            "parameters": self.parameters,
            "seeds": self.seeds,
            "data": self._data(),
            "trainer": numbers,
        }
        storage.write(self.path, "checkpoint", description, tensors)  # type: ignore[arg-type]
        self.saved_at = time.monotonic()

    def _data(self) -> str:
        """Return a fingerprint of the schema and of the training and validation rows."""
        digest = hashlib.sha256(json.dumps(self.table).encode())
        for tokens in (self.trainer.tokens, self.trainer.validation):
            digest.update(str(tuple(tokens.shape)).encode() + tokens.cpu().numpy().tobytes())
        return digest.hexdigest()
