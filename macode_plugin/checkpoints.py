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
    FileNotFoundError
        If there is no folder that a file could be saved in.
    ModelFileError
        If the file is no whole, unaltered checkpoint.
    """
    if path is None:
        return None
    if not Path(path).parent.is_dir():
        raise FileNotFoundError(f"no such folder for the checkpoint: {Path(path).parent}")
    if not Path(path).exists():
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
        self._last_epoch: tuple[dict[str, Any], dict[str, Tensor]] | None = None

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
        self._last_epoch = _copied(description["trainer"], tensors)
        self.trainer.load_state(description["trainer"], tensors)

    def epoch_done(self) -> None:
        """Keep the state, in the file too unless it was saved just before."""
        if self.path is None:
            return
        self._last_epoch = _copied(*self.trainer.state())
        if time.monotonic() - self.saved_at >= INTERVAL:
            self._save()

    def training_ended(self) -> None:
        """Remove the file of a complete run; save the state of one that was stopped.

        Of one stopped within an epoch that is the state at the epoch's start, since the part of an
        epoch could not be continued exactly.
        """
        if self.path is None:
            return
        if self.trainer.finished:
            self.path.unlink(missing_ok=True)
            return
        kept = 0 if self._last_epoch is None else len(self._last_epoch[0]["history"])
        if self.trainer.epoch > kept:  # stopped between an epoch and epoch_done
            self._last_epoch = _copied(*self.trainer.state())
        if self._last_epoch is not None:
            self._save()

    def what_is_kept(self) -> str:
        """Say, once training ended, what of a run that was interrupted is in the file."""
        if self.path is None or self.trainer.finished:
            return ""
        if self.trainer.epoch:
            return f"; {self.path} keeps the state after them, to be continued"
        return f"; no epoch was complete, so there is nothing to continue, and no {self.path}"

    def _save(self) -> None:
        numbers, tensors = self._last_epoch  # type: ignore[misc]
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


def _copied(
    numbers: dict[str, Any], tensors: dict[str, Tensor]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return a state that training will not change."""
    numbers = {**numbers, "history": list(numbers["history"])}
    return numbers, {name: tensor.detach().clone() for name, tensor in tensors.items()}
