"""Which numbers a processor multiplies matrices in while a network is trained."""

from __future__ import annotations

import functools
from pathlib import Path

import torch

__all__ = ["PRECISIONS", "auto_precision", "multiplies_bfloat16"]

PRECISIONS = ("float32", "bfloat16")

CPUINFO = Path("/proc/cpuinfo")


def auto_precision(network: str, device: torch.device) -> str:
    """Return the precision when it is "auto": bfloat16 on processors with instructions for it.

    Where they have none, torch imitates them, more slowly than it multiplies float32.
    """
    fast = network == "causal" and device.type == "cpu" and multiplies_bfloat16(CPUINFO)
    return "bfloat16" if fast else "float32"


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
