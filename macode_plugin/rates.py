"""Which optimizer updates which weights, and how fast, by the size of the table."""

from __future__ import annotations

from typing import Any

import torch

from macode_plugin.muon import Muon
from macode_plugin.networks import ConditionalNetwork
from macode_plugin.optimizers import AdamW

__all__ = ["FEW_ROWS", "MANY_ROWS", "optimizers_for"]

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
seeds), .09 on letter and kings (one)."""

MANY_ROWS = 4000
"""Training rows from which the causal form's rates grow: Muon's with the fourth root of their number, up
to 1.4 times, AdamW's with its power of 1.5, up to 7 times. Vectors of tokens, which small tables learn
by heart, are learned too slowly otherwise: letter in 30 passes gained .03 nats by 1.4 times both rates,
.14 more by 6 times AdamW's, .22 by 10 times; kings in 28 .09, then .02 and .03 (seed 0). loan, of 3600
rows, gains .04 by twice AdamW's and nothing by three times, whitewine loses .1 by either. The masked
form loses by both rates: letter .42 in 12 passes, kings .21 in 8 (seed 0)."""


FEW_COLUMNS = 4
"""Columns up to which the causal form takes half of both rates: what there is to learn of few columns is
learned by heart soon. Two to four normal columns gained 0 to .08 nats by it on 700 and 2000 rows, -.015
to .02 on 6000 (correlations of .4 and .9, four columns of 6000 rows .4 alone; two seeds each); of two
with one of .71, 2000 rows, samples have .66 for .60 (three seeds; ``docs/figures.md``). Two to four
columns of abalone, banknote, concrete, redwine and whitewine are learned as well, within .025 nats, four
of banknote's .1 better (two choices each, ``MaCoDE(lr=1e-3)`` and ``2e-3`` without this)."""


def optimizers_for(
    network: ConditionalNetwork,
    *,
    optimizer: str,
    lr: float,
    weight_decay: float,
    n_rows: int,
    n_columns: int,
) -> list[torch.optim.Optimizer]:
    """Return what updates the network: Muon for the matrices between its layers, AdamW for the rest.

    Muon is one optimizer for each kind of matrices, so that they can step side by side.
    """
    stacks = network.matrices() if optimizer == "muon" else {}
    by_muon = {id(weight) for weights in stacks.values() for weight in weights}
    others = [named for named in network.named_parameters() if id(named[1]) not in by_muon]
    own = [parameter for name, parameter in others if name.endswith(".own")]
    rest = [parameter for name, parameter in others if not name.endswith(".own")]
    decay: dict[str, Any] = {"weight_decay": weight_decay}
    groups: list[dict[str, Any]] = [{"params": rest}, {"params": own, "weight_decay": OWN_DECAY}]
    if not stacks:
        optimizers: list[torch.optim.Optimizer] = [AdamW(groups, lr=lr, foreach=True, **decay)]
    else:
        if network.own_rates and n_columns <= FEW_COLUMNS:
            lr /= 2
        share = _share_of_few(n_rows)
        size = max(n_rows / MANY_ROWS, 1.0) if network.own_rates else 1.0
        muon: dict[str, Any] = {"lr": lr * min(size**0.25, 1.4), "momentum": 1 - 0.1 * share, **decay}
        dtype = torch.bfloat16 if network.bfloat16_products else torch.float32
        optimizers = [
            Muon([{"params": weights, "parts": parts}], rms=MATRIX_RMS, dtype=dtype, **muon)
            for parts, weights in stacks.items()
        ]
        rest_lr = lr * share * min(size**1.5, 7.0)
        optimizers.append(AdamW(groups, lr=rest_lr, foreach=True, **decay))
    for one in optimizers:
        for group in one.param_groups:
            group["initial_lr"] = group["lr"]  # as torch's schedulers call it
    return optimizers


def _share_of_few(n_rows: int) -> float:
    """Return the training rows as a share of :data:`FEW_ROWS`, a half at least, 1 at most."""
    return min(max(n_rows / FEW_ROWS, 0.5), 1.0)
