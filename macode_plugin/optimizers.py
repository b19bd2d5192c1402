"""torch's AdamW and what an optimizer of our own builds on, without torch's compiler.

torch marks methods of its optimizers as not to be compiled, and imports the compiler to do so: some
two seconds before a first fit, longer than many tables take. Here those methods are called unmarked.
"""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch.optim import Optimizer

__all__ = ["AdamW", "Uncompiled"]


class Uncompiled(Optimizer):
    """An optimizer that leaves torch's compiler unimported; ``step`` is a subclass's own."""

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, as every optimizer of torch does."""
        inspect.unwrap(Optimizer.add_param_group)(self, param_group)


class AdamW(Uncompiled, torch.optim.AdamW):
    """torch's AdamW; its arguments are torch's."""

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure
        """Take a step along every parameter that has a gradient."""
        inspect.unwrap(torch.optim.AdamW.step)(self)
