"""Muon: an optimizer that makes every step of a weight matrix orthogonal.

References
----------
Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024.
Liu et al., "Muon is scalable for LLM training", 2025, arXiv 2502.16982 (the steps' size).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from macode_plugin.optimizers import Uncompiled

__all__ = ["Muon", "orthogonalise"]

COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Of the odd polynomial that is applied five times (Jordan et al.)."""


class Muon(Uncompiled):
    """Nesterov momentum whose steps are orthogonalised matrix by matrix.

    torch has an optimizer of this name from release 2.9 (synthcity asks for 2.2), which takes matrices
    one at a time and in 16 bits; here those of one shape are taken together, in the numbers asked for.

    Arguments
    ---------
    params : iterable of matrices, or of groups of them
        A group's ``parts`` says how many matrices lie below each other in each (3 where queries,
        keys and values are one product); 1 if absent.
    lr : float
    weight_decay : float
        Decoupled, as AdamW's.
    rms : float
        Root mean square of a step at a rate of 1; 0.2 is about AdamW's (Liu et al., section 2.2).
    momentum : float
    dtype : torch.dtype
        Numbers in which steps are orthogonalised; weights and momentum keep their own.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float,
        weight_decay: float,
        rms: float = 0.2,
        momentum: float = 0.95,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "rms": rms, "momentum": momentum, "parts": 1}
        super().__init__(params, defaults)
        self.dtype = dtype

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure
        """Take a step along every matrix that has a gradient."""
        for group in self.param_groups:
            self._step(group)

    def _step(self, group: dict[str, Any]) -> None:
        alike: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
        for matrix in group["params"]:
            if matrix.grad is not None:
                update = self._update(matrix, matrix.grad, group["momentum"])
                for target, part in zip(matrix.chunk(group["parts"]), update.chunk(group["parts"])):
                    alike[part.shape].append((target, part))
        for shape, pairs in alike.items():
            directions = orthogonalise(torch.stack([part for _, part in pairs]).to(self.dtype))
            size = group["lr"] * group["rms"] * math.sqrt(max(shape))
            for (target, _), direction in zip(pairs, directions):
                target.mul_(1 - group["lr"] * group["weight_decay"]).sub_(direction, alpha=size)

    def _update(self, matrix: Tensor, gradient: Tensor, momentum: float) -> Tensor:
        """Add the gradient to the momentum, and return what Nesterov's rule makes of both."""
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(matrix)
        state["momentum_buffer"].lerp_(gradient, 1 - momentum)
        return gradient.lerp(state["momentum_buffer"], momentum)


def orthogonalise(matrices: Tensor) -> Tensor:
    """Replace every singular value by one of about 1 (0.7 to 1.2), by Newton and Schulz' iteration.

    Shape
    -----
    - matrices: (b, m, n)
    - Output: (b, m, n)
    """
    a, b, c = COEFFICIENTS
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x = matrices if wide else matrices.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x if wide else x.mT
