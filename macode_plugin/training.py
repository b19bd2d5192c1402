"""Fitting a network: batches, schedule, weight averaging, validation, stopping, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

from macode_plugin.averaging import MovingAverage
from macode_plugin.columns import FREE
from macode_plugin.context_noise import ContextNoise
from macode_plugin.interrupts import Interrupts
from macode_plugin.masking import random_orders
from macode_plugin.memory import keep_freed_memory
from macode_plugin.networks import ConditionalNetwork, Examples
from macode_plugin.parallel import Workers
from macode_plugin.plan import Plan, Refit
from macode_plugin.rates import optimizers_for
from macode_plugin.storage import tensors_under

__all__ = ["Trainer", "split_rows"]

VALIDATION_ROWS = 1000
"""Rows scored at every epoch, about: few validation rows are scored under two column orders each, the
same at every epoch. Four chose the same epochs or their neighbours (concrete, redwine, banknote; on
breast up to 13 of 500 apart, the score alike) and took 15 % of the time."""


PARTS = 2
"""Parts of a batch that are taken side by side, at most: gradients of quarters took a tenth longer on
two threads than those of halves."""

LEAST_CELLS = 1000
"""Cells of a batch that is taken in parts, at least: fewer are not worth a thread."""

SEARCH = Fraction(2, 3)
"""Share of the epochs, or of the time, that the search for the best epoch takes at most; what is left is
for all rows. With a half, tables that are learned by heart soon get likelihoods too sure of themselves:
their intervals of 90 % held 6 points too little on redwine, 9 on whitewine and 4 on abalone, with two
thirds 2, 4 and 2 (two or three seeds each), in an eighth to a quarter fewer epochs."""


class Trainer:
    """Fits a network to a token matrix, epoch by epoch, and keeps the best weights.

    With ``plan.refit`` the first two thirds of the epochs, or of the time, at most, search for the
    epoch that is best for the held-out rows. From its weights training goes on over all rows while the
    rate sinks to zero, for half as many epochs as it took to reach them, or all that are left if the
    last one was the best. Not in the paper. Without it a tenth of the rows is never learned, and where
    a table is learned by heart soon, training ends before the rate has sunk.

    Arguments
    ---------
    network : ConditionalNetwork
        Trained in place, on its own device.
    tokens : Tensor of int64, shape (n, p)
        Training rows, ``FREE`` where missing.
    validation : Tensor of int64, shape (m, p)
        Held-out rows that choose the best weights; m may be 0.
    plan : Plan
    seed : int
        Seeds batches, orders and masks; no global random state is used.
    noise : ContextNoise or None
        Applied to what the network is told of the training rows.
    """

    def __init__(
        self,
        network: ConditionalNetwork,
        tokens: Tensor,
        validation: Tensor,
        plan: Plan,
        seed: int,
        noise: ContextNoise | None = None,
    ) -> None:
        self.network = network
        self.noise = noise
        self.plan = plan
        self.parameters = list(network.parameters())
        device = self.parameters[0].device
        self.tokens, self.validation = tokens.to(device), validation.to(device)
        self.workers = Workers(PARTS, device)
        self.interrupts = Interrupts()
        self.generator = torch.Generator().manual_seed(seed)  # the same on every device
        self.optimizers = optimizers_for(
            network,
            optimizer=plan.optimizer,
            lr=plan.lr,
            weight_decay=plan.weight_decay,
            n_rows=len(tokens),
            n_columns=tokens.shape[1],
        )
        self.average = MovingAverage(network, plan.ema_decay) if plan.ema_decay > 0 else None
        self.refit: Refit | None = None
        self.learned = self.tokens
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Tensor] = {}
        self.best_nll = math.inf
        self.best_epoch = 0
        self._validation_orders = self._fixed_orders(seed)

    @property
    def epoch(self) -> int:
        """Number of finished epochs."""
        return len(self.history)

    @property
    def n_epochs(self) -> int:
        """Number of epochs in all, as far as it is known."""
        return self.plan.epochs if self.refit is None else self.refit.epoch + self.refit.n_epochs

    @property
    def steps_per_epoch(self) -> int:
        """Number of batches that the rows make which are being learned."""
        return math.ceil(len(self.learned) / self.plan.batch_size)

    @property
    def finished(self) -> bool:
        """Whether the plan asks for no further epoch."""
        ended = self._stale and not self.plan.refit
        return self.epoch >= self.n_epochs or self._out_of_time(self.seconds) or ended

    @property
    def _stale(self) -> bool:
        patience = self.plan.patience
        return patience is not None and self.epoch - self.best_epoch >= patience

    @property
    def _refit_due(self) -> bool:
        """Whether the best epoch has been searched for long enough."""
        if not self.plan.refit or self.refit is not None or len(self.validation) == 0:
            return False
        epochs_over = self.epoch >= max(int(SEARCH * self.plan.epochs), 1)
        time_over = self.plan.max_time is not None and self.seconds >= SEARCH * self.plan.max_time
        return self._stale or epochs_over or time_over

    def run(self, after_epoch: Callable[[dict[str, float]], Any]) -> None:
        """Train until the plan is finished, or until ``after_epoch`` returns True.

        ``after_epoch`` gets each epoch's record: ``epoch``, ``train_nll``, ``validation_nll`` (NaN
        without validation rows, or once they are learned), in nats per row, ``lr`` and ``seconds``
        since the start. Ctrl-C is a ``KeyboardInterrupt`` between two steps, or after ``after_epoch``.
        """
        keep_freed_memory()
        with self.interrupts:
            while not self.finished:
                if self._refit_due:
                    self._begin_refit()
                with self.workers:
                    record = self.run_epoch()
                stop = after_epoch(record)
                self.interrupts.answer()
                if stop:
                    break

    def run_epoch(self) -> dict[str, float]:
        """Train one epoch and return its record; a time budget may cut it short."""
        started = time.monotonic()
        total, n_steps = 0.0, 0
        for batch in self._batches():
            total += self._train_step(batch, self.seconds + time.monotonic() - started)
            n_steps += 1
            self.interrupts.answer()
            if self._out_of_time(self.seconds + time.monotonic() - started):
                break
        if not math.isfinite(total):
            raise ValueError(
                f"training diverged in epoch {self.epoch + 1}: the training NLL is {total}; "
                f"fit with a smaller lr, however: lr={self.plan.lr}"
            )
        validation_nll = self.validation_nll()
        self.seconds += time.monotonic() - started
        record = {
            "epoch": self.epoch + 1,
            "train_nll": total / n_steps,
            "validation_nll": validation_nll,
            "lr": self.optimizers[0].param_groups[0]["lr"],  # Muon's, if it takes part
            "seconds": self.seconds,
        }
        self.history.append(record)
        self._keep_best(validation_nll)
        return record

    def validation_nll(self) -> float:
        """Return the averaged weights' mean NLL on the validation rows, in nats per row."""
        if len(self.validation) == 0 or self.refit is not None:
            return math.nan
        orders = self._validation_orders
        n_parts = self.workers.n * math.ceil(len(orders) / (4 * self.plan.batch_size))
        n_parts = min(n_parts, len(orders))
        rows = self.validation.repeat(len(orders) // len(self.validation), 1).tensor_split(n_parts)
        total = self.workers.map(self._total_nll, zip(rows, orders.tensor_split(n_parts)))
        return sum(total) / len(orders)

    @torch.no_grad()
    def _total_nll(self, part: tuple[Tensor, Tensor]) -> float:
        tokens, orders = part
        return self.weights.nll(tokens, tokens != FREE, orders).sum().item()

    @property
    def weights(self) -> ConditionalNetwork:
        """The network as it would be used now: averaged weights where averaging is on."""
        if self.average is None:
            return self.network
        return self.average.network

    def restore_best(self) -> None:
        """Put the best weights seen into the network."""
        self.network.load_state_dict(self.best or self.weights.state_dict())

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return all that resuming needs: JSON's types, and tensors."""
        tensors = {"generator": self.generator.get_state()}
        tensors.update(_prefixed("network", self.network.state_dict()))
        tensors.update(_prefixed("best", self.best))
        if self.average is not None:
            tensors.update(_prefixed("average", self.average.network.state_dict()))
        for k, optimizer in enumerate(self.optimizers):
            for i, moments in optimizer.state_dict()["state"].items():
                tensors.update(_prefixed(f"optimizer.{k}.{i}", moments))
        numbers = {
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "best_nll": self.best_nll,
            "best_epoch": self.best_epoch,
            "refit": None if self.refit is None else asdict(self.refit),
        }
        return numbers, tensors

    def load_state(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Continue from what :meth:`state` returned."""
        for name, value in numbers.items():
            setattr(self, name, value)
        if numbers["refit"] is not None:
            self._learn_all_rows(Refit(**numbers["refit"]))
        self.generator.set_state(tensors["generator"])
        self.network.load_state_dict(tensors_under("network", tensors))
        self.best = {k: v.to(self.tokens.device) for k, v in tensors_under("best", tensors).items()}
        if self.average is not None:
            self.average.network.load_state_dict(tensors_under("average", tensors))
        for k, optimizer in enumerate(self.optimizers):
            moments = tensors_under(f"optimizer.{k}", tensors)
            places = {name.split(".")[0] for name in moments}
            state = {int(place): tensors_under(place, moments) for place in places}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

    def _batches(self) -> Iterator[Tensor]:
        """Split a random permutation of the rows into batches of nearly one size."""
        rows = torch.randperm(len(self.learned), generator=self.generator).to(self.learned.device)
        for part in rows.tensor_split(self.steps_per_epoch):
            yield self.learned[part]

    def _begin_refit(self) -> None:
        """Go back to the best weights, and learn all rows from here on."""
        rate = self._rate(self.seconds)
        left = self.plan.epochs - self.epoch
        again = math.ceil(self.best_epoch * (1 - SEARCH) / SEARCH)
        n_epochs = left if self.best_epoch == self.epoch else max(again, 1)
        self.restore_best()
        if self.average is not None:
            self.average.restart()
        self.best = {}  # held-out rows that are learned choose no epoch
        self._learn_all_rows(Refit(self.epoch, self.step, self.seconds, n_epochs, rate))

    def _learn_all_rows(self, refit: Refit) -> None:
        self.refit = refit
        self.learned = torch.cat([self.tokens, self.validation])

    def _train_step(self, tokens: Tensor, seconds: float) -> float:
        factor = self._rate(seconds)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * factor
        told = tokens if self.noise is None else self.noise(tokens, self.generator)
        examples = self.network.examples(tokens, told, tokens != FREE, self.generator)
        loss = self._take_gradients(examples)
        self.workers.map(lambda optimizer: optimizer.step(), self.optimizers)
        self.step += 1
        if self.average is not None:
            self.average.update(self.step)
        return loss

    def _take_gradients(self, examples: Examples) -> float:
        """Give the parameters the gradients of the loss, and return it."""

        def gradients(part: Examples) -> tuple[float, tuple[Tensor, ...]]:
            loss = self.network.loss(part)
            return loss.item(), torch.autograd.grad(loss, self.parameters)

        n_rows, n_columns = examples.tokens.shape
        n_parts = min(self.workers.n, n_rows) if n_rows * n_columns >= LEAST_CELLS else 1
        losses, shares = zip(*self.workers.map(gradients, examples.split(n_parts)))
        for parameter, *share in zip(self.parameters, *shares):
            parameter.grad = sum(share[1:], start=share[0])
        return sum(losses)

    def _rate(self, seconds: float) -> float:
        """Return the learning rate's factor: linear warm-up, 1, and in a line to zero.

        It sinks over the second half, or as soon as all rows are being learned.
        """
        if self.plan.schedule == "constant":
            return 1.0
        if self.refit is not None:
            return self.refit.rate * (1 - self._share_done(seconds))
        warm_up = min(50, 0.1 * self.plan.epochs * self.steps_per_epoch)
        return min((self.step + 1) / warm_up, 1.0, 2 * (1 - self._share_done(seconds)))

    def _share_done(self, seconds: float) -> float:
        """Return the share of the steps that are done, or of the time, if it is to end sooner.

        Once all rows are being learned, it counts from there.
        """
        start = self.refit or Refit(0, 0, 0.0, self.plan.epochs, 1.0)
        done = (self.step - start.step) / (start.n_epochs * self.steps_per_epoch)
        if self.plan.max_time is not None:
            left = self.plan.max_time - start.seconds
            done = max(done, min((seconds - start.seconds) / left, 1.0))
        return done

    def _out_of_time(self, seconds: float) -> bool:
        return self.plan.max_time is not None and seconds >= self.plan.max_time

    def _keep_best(self, validation_nll: float) -> None:
        if self.refit is not None:
            return
        if len(self.validation) and not validation_nll < self.best_nll:  # NaN is never better
            return
        self.best_epoch = self.epoch
        if len(self.validation):
            self.best_nll = validation_nll
            self.best = {k: v.detach().clone() for k, v in self.weights.state_dict().items()}

    def _fixed_orders(self, seed: int) -> Tensor:
        """Draw the validation rows' orders, on the CPU, so that every device scores the same."""
        n_orders = 2 if 2 * len(self.validation) <= VALIDATION_ROWS else 1
        observed = (self.validation != FREE).repeat(n_orders, 1).cpu()
        orders = random_orders(observed, torch.Generator().manual_seed(seed))
        return orders.to(self.validation.device)


def split_rows(tokens: np.ndarray, fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Return training rows and those held out for validation, in random order.

    Rows without any observed cell teach nothing and are left out.

    Shape
    -----
    - tokens: (n, p), ``FREE`` where missing
    - Output: at most n rows in all, of which ``fraction`` are held out
    """
    rows = np.flatnonzero((tokens != FREE).any(axis=1))
    rows = np.random.default_rng(seed).permutation(rows)
    n_validation = int(len(rows) * fraction)
    split = torch.from_numpy(tokens[rows])
    return split[n_validation:], split[:n_validation]


def _prefixed(prefix: str, tensors: dict[str, Any]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}
