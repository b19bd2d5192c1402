"""Which numbers a processor multiplies matrices in, in training and generation."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

__all__ = ["PRECISIONS", "in_bfloat16", "multiplies_bfloat16"]

PRECISIONS = ("float32", "bfloat16")

CPUINFO = Path("/proc/cpuinfo")

NARROWEST = 64
"""Width of feed-forward layers from which bfloat16 takes less time. A training step of 57 rows of breast
took a tenth less with 64 and a fifth less with 128 at one thread, a twelfth more with 32 at two: such
narrow layers take longer to be rounded than to be multiplied."""


def in_bfloat16(precision: str, network: str, device: torch.device, feed_forward: int) -> bool:
    """Return whether a network's layers are multiplied in bfloat16 at this ``precision``.

    "auto" means so for the causal form, with feed-forward layers of at least :data:`NARROWEST`, on
    processors with instructions for it. Where they have none, torch imitates them, more slowly than it
    multiplies float32.
    """
    if precision == "auto":
        fit = network == "causal" and feed_forward >= NARROWEST and device.type == "cpu"
        return fit and multiplies_bfloat16(CPUINFO)
    return precision == "bfloat16"


@functools.cache
def multiplies_bfloat16(cpuinfo: Path) -> bool:
    """Return whether Linux lists a x86 processor's instructions for products of bfloat16.

    False where there is no such list, on other systems and processors.
    """
    try:
        lines = cpuinfo.read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    flags = {flag for line in lines if line.startswith("flags") for flag in line.split()}
    return bool(flags & {"avx512_bf16", "amx_bf16"})
