"""Fitting a network: batches, schedule, weight averaging, validation, stopping, checkpoints."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from macode_plugin.columns import FREE
from macode_plugin.context_noise import ContextNoise
from macode_plugin.masking import random_orders
from macode_plugin.muon import Muon
from macode_plugin.networks import ConditionalNetwork, Examples
from macode_plugin.optimizers import AdamW
from macode_plugin.parallel import Workers
from macode_plugin.storage import tensors_under

__all__ = ["Plan", "Trainer", "split_rows"]

OWN_DECAY = 10.0
"""Weight decay of what is an ordered token's own (``TokenVectors``). AdamW then holds it below 0.1:
a compromise between concrete, which wants more, and banknote, which wants less (one seed each)."""

MATRIX_RMS = 2.4
"""Size of Muon's steps at a rate of 1, twelve times AdamW's. Of 0.4 to 3, larger ones beside a smaller
rate of the rest gave better likelihoods (concrete, banknote, redwine, breast; one seed)."""

FEW_ROWS = 3000
"""Training rows below which AdamW goes more slowly than Muon, down to half as fast: small tables learn
the vectors of tokens by heart. With half its rate and 600 steps for 450, held-out rows gained .04 nats
on banknote, .1 on concrete (three seeds, ``benchmarks.ablation``), .5 on breast (five,
``benchmarks.guard``); larger tables lost by it: .04 on whitewine, .08 on loan (two seeds), .2 on letter
(one). Half of Muon's rate as well gained less.

Down to half of them Muon's momentum also lasts longer, up to twice as long (.95 for .9): breast lost .6
by the shorter one (three seeds), larger tables gained: .15 on whitewine, .05 on loan and abalone (two
seeds), .09 on letter and kings (one).

And their rate sinks from the start on, that of larger tables from the middle on. Compared with half a
cosine, the latter gained .36 nats on letter in 12 passes, .19 in 30, .15 on kings, .1 on loan, .06 on
whitewine (one seed), and lost .1 on banknote (three), where the former lost nothing."""

MANY_ROWS = 4000
"""Training rows from which the causal form's rates grow: Muon's with the fourth root of their number, up
to 1.4 times, AdamW's with its power of 1.5, up to 7 times. Vectors of tokens, which small tables learn
by heart, are learned too slowly otherwise: letter in 30 passes gained .03 nats by 1.4 times both rates,
.14 more by 6 times AdamW's, .22 by 10 times; kings in 28 .09, then .02 and .03 (seed 0). loan, of 3600
rows, gains .04 by twice AdamW's and nothing by three times, whitewine loses .1 by either. The masked
form loses by both rates: letter .42 in 12 passes, kings .21 in 8 (seed 0)."""

VALIDATION_ROWS = 1000
"""Rows scored at every epoch, about: few validation rows are scored under two column orders each, the
same at every epoch. Four chose the same epochs or their neighbours (concrete, redwine, banknote; on
breast up to 13 of 500 apart, the score alike) and took 15 % of the time."""


PARTS = 2
"""Parts of a batch that are taken side by side, at most: gradients of quarters took a tenth longer on
two threads than those of halves."""

LEAST_CELLS = 1000
"""Cells of a batch that is taken in parts, at least: fewer are not worth a thread."""


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
    max_time: float | None

    @classmethod
    def of(cls, parameters: dict[str, Any], max_time: float | None) -> Plan:
        """Return the plan that a model's parameters make, none of which is "auto" any more."""
        names = {field.name for field in fields(cls)} - {"max_time"}
        return cls(max_time=max_time, **{name: parameters[name] for name in names})


class Trainer:
    """Fits a network to a token matrix, epoch by epoch, and keeps the best weights.

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
        device = next(network.parameters()).device
        self.tokens, self.validation = tokens.to(device), validation.to(device)
        self.workers = Workers(PARTS, device)
        self.generator = torch.Generator().manual_seed(seed)  # the same on every device
        self.optimizers = _optimizers(network, plan, len(tokens))
        self.average = None
        if plan.ema_decay > 0:
            self.average = AveragedModel(network, multi_avg_fn=_moving_average(plan.ema_decay))
        self.cooldown = 1.5 - _share_of_few(len(tokens))
        self.steps_per_epoch = math.ceil(len(tokens) / plan.batch_size)
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
    def between_epochs(self) -> bool:
        """Whether no epoch is half done."""
        return self.step == self.epoch * self.steps_per_epoch

    @property
    def finished(self) -> bool:
        """Whether the plan asks for no further epoch."""
        plan = self.plan
        out_of_time = plan.max_time is not None and self.seconds >= plan.max_time
        stale = plan.patience is not None and self.epoch - self.best_epoch >= plan.patience
        return self.epoch >= plan.epochs or out_of_time or stale

    def run(self, after_epoch: Callable[[dict[str, float]], Any]) -> None:
        """Train until the plan is finished, or until ``after_epoch`` returns True.

        ``after_epoch`` gets each epoch's record: ``epoch``, ``train_nll``, ``validation_nll`` (NaN
        without validation rows), in nats per row, ``lr`` and ``seconds`` since the start.
        """
        while not self.finished:
            with self.workers:
                record = self.run_epoch()
            if after_epoch(record):
                break

    def run_epoch(self) -> dict[str, float]:
        """Train one epoch and return its record; a time budget may cut it short."""
        started = time.monotonic()
        total, n_steps = 0.0, 0
        for batch in self._batches():
            total += self._train_step(batch, self.seconds + time.monotonic() - started)
            n_steps += 1
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
            "lr": self.optimizers[-1].param_groups[0]["lr"],  # Muon's, if it takes part
            "seconds": self.seconds,
        }
        self.history.append(record)
        self._keep_best(validation_nll)
        return record

    def validation_nll(self) -> float:
        """Return the averaged weights' mean NLL on the validation rows, in nats per row."""
        if len(self.validation) == 0:
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
        return cast(ConditionalNetwork, self.average.module)

    def restore_best(self) -> None:
        """Put the best weights seen into the network."""
        self.network.load_state_dict(self.best or self.weights.state_dict())

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Return all that resuming needs: JSON's types, and tensors."""
        tensors = {"generator": self.generator.get_state()}
        tensors.update(_prefixed("network", self.network.state_dict()))
        tensors.update(_prefixed("best", self.best))
        if self.average is not None:
            tensors.update(_prefixed("average", self.average.module.state_dict()))
        for k, optimizer in enumerate(self.optimizers):
            for i, moments in optimizer.state_dict()["state"].items():
                tensors.update(_prefixed(f"optimizer.{k}.{i}", moments))
        numbers = {
            "step": self.step,
            "seconds": self.seconds,
            "history": self.history,
            "best_nll": self.best_nll,
            "best_epoch": self.best_epoch,
        }
        return numbers, tensors

    def load_state(self, numbers: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Continue from what :meth:`state` returned."""
        for name, value in numbers.items():
            setattr(self, name, value)
        self.generator.set_state(tensors["generator"])
        self.network.load_state_dict(tensors_under("network", tensors))
        self.best = {k: v.to(self.tokens.device) for k, v in tensors_under("best", tensors).items()}
        if self.average is not None:
            self.average.module.load_state_dict(tensors_under("average", tensors))
            self.average.n_averaged.fill_(self.step)
        for k, optimizer in enumerate(self.optimizers):
            moments = tensors_under(f"optimizer.{k}", tensors)
            places = {name.split(".")[0] for name in moments}
            state = {int(place): tensors_under(place, moments) for place in places}
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})

    def _batches(self) -> Iterator[Tensor]:
        """Split a random permutation of the rows into batches of nearly one size."""
        rows = torch.randperm(len(self.tokens), generator=self.generator).to(self.tokens.device)
        for part in rows.tensor_split(self.steps_per_epoch):
            yield self.tokens[part]

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
            self.average.update_parameters(self.network)
        return loss

    def _take_gradients(self, examples: Examples) -> float:
        """Give the parameters the gradients of the loss, and return it."""
        parameters = list(self.network.parameters())

        def gradients(part: Examples) -> tuple[float, tuple[Tensor, ...]]:
            loss = self.network.loss(part)
            return loss.item(), torch.autograd.grad(loss, parameters)

        n_rows, n_columns = examples.tokens.shape
        n_parts = min(self.workers.n, n_rows) if n_rows * n_columns >= LEAST_CELLS else 1
        losses, shares = zip(*self.workers.map(gradients, examples.split(n_parts)))
        for parameter, *share in zip(parameters, *shares):
            parameter.grad = sum(share[1:], start=share[0])
        return sum(losses)

    def _rate(self, seconds: float) -> float:
        """Return the learning rate's factor: linear warm-up, 1, linear cooldown to zero.

        A time budget that would cut the run short brings the end forward.
        """
        if self.plan.schedule == "constant":
            return 1.0
        total = self.plan.epochs * self.steps_per_epoch
        done = self.step / total
        if self.plan.max_time is not None:
            done = max(done, min(seconds / self.plan.max_time, 1.0))
        warm_up = min(50, 0.1 * total)
        return min((self.step + 1) / warm_up, 1.0, (1 - done) / self.cooldown)

    def _out_of_time(self, seconds: float) -> bool:
        return self.plan.max_time is not None and seconds >= self.plan.max_time

    def _keep_best(self, validation_nll: float) -> None:
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


def _optimizers(network: ConditionalNetwork, plan: Plan, n_rows: int) -> list[torch.optim.Optimizer]:
    """Return what updates the network: AdamW, and Muon for the matrices between its layers."""
    stacks = network.matrices() if plan.optimizer == "muon" else {}
    by_muon = {id(weight) for weights in stacks.values() for weight in weights}
    others = [named for named in network.named_parameters() if id(named[1]) not in by_muon]
    own = [parameter for name, parameter in others if name.endswith(".own")]
    rest = [parameter for name, parameter in others if not name.endswith(".own")]
    decay: dict[str, Any] = {"weight_decay": plan.weight_decay}
    groups: list[dict[str, Any]] = [{"params": rest}, {"params": own, "weight_decay": OWN_DECAY}]
    if not stacks:
        optimizers: list[torch.optim.Optimizer] = [AdamW(groups, lr=plan.lr, foreach=True, **decay)]
    else:
        share = _share_of_few(n_rows)
        size = max(n_rows / MANY_ROWS, 1.0) if network.rates_grow else 1.0
        alike = [{"params": weights, "parts": parts} for parts, weights in stacks.items()]
        optimizers = [
            AdamW(groups, lr=plan.lr * share * min(size**1.5, 7.0), foreach=True, **decay),
            Muon(
                alike,
                lr=plan.lr * min(size**0.25, 1.4),
                rms=MATRIX_RMS,
                momentum=1 - 0.1 * share,
                **decay,
            ),
        ]
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["initial_lr"] = group["lr"]  # as torch's schedulers call it
    return optimizers


def _share_of_few(n_rows: int) -> float:
    """Return the training rows as a share of :data:`FEW_ROWS`, a half at least, 1 at most."""
    return min(max(n_rows / FEW_ROWS, 0.5), 1.0)


def _moving_average(decay: float) -> Callable[[Any, Any, Any], None]:
    """Return an exponential moving average that forgets the initial weights quickly."""

    def average(old: Any, new: Any, n_averaged: Any) -> None:
        n = int(n_averaged)
        get_ema_multi_avg_fn(min(decay, (1 + n) / (10 + n)))(old, new, n_averaged)

    return average


def _prefixed(prefix: str, tensors: dict[str, Any]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}
