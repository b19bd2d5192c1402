"""Training as a user sees it: a progress bar, saved states, and Ctrl-C that keeps what was learned."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from macode_plugin.checkpoints import Keeper
from macode_plugin.training import Trainer

__all__ = ["figures", "train_to_end"]


def train_to_end(
    trainer: Trainer,
    keeper: Keeper,
    callback: Callable[[dict[str, float]], Any] | None,
    *,
    verbose: bool,
) -> None:
    """Train from where the trainer stands, and put the best weights into the network.

    Arguments
    ---------
    trainer : Trainer
    keeper : Keeper
        Where states are saved to; a complete run's file is removed.
    callback : callable or None
        Called with each epoch's record; training stops if it returns True.
    verbose : bool
        Show a bar over epochs.
    """
    interrupted = False
    with tqdm(
        total=trainer.n_epochs,
        initial=trainer.epoch,
        disable=not verbose,
        desc="MaCoDE",
        unit="epoch",
    ) as bar:

        def after_epoch(record: dict[str, float]) -> bool:
            bar.set_postfix(figures(record))
            bar.total = trainer.n_epochs
            bar.update()
            stop = callback(record) if callback is not None else False
            keeper.epoch_done()
            return bool(stop)

        try:
            trainer.run(after_epoch)
        except KeyboardInterrupt:
            interrupted = True
    keeper.training_ended()
    trainer.restore_best()
    if interrupted:
        warnings.warn(
            f"training was interrupted after {trainer.epoch} epochs; the model holds its best weights "
            f"so far{keeper.what_is_kept()}",
            stacklevel=3,
        )


def figures(record: dict[str, float]) -> dict[str, str]:
    """Return an epoch's likelihoods for people to read, that of held-out rows if it was taken."""
    found = {"nll": f"{record['train_nll']:.3f}"}
    if not np.isnan(record["validation_nll"]):
        found["validation"] = f"{record['validation_nll']:.3f}"
    return found
