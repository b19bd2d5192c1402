"""How the C library's allocator treats memory that operations have done with."""

from __future__ import annotations

import torch

__all__ = ["keep_freed_memory"]

KEPT = 31 * 2**20
"""Bytes; glibc takes notice of blocks of up to 32 MiB."""


def keep_freed_memory() -> None:
    """Have glibc keep what is freed for what comes next, rather than give it back to the system.

    It keeps blocks of up to the largest that was freed so far (``M_MMAP_THRESHOLD`` in mallopt(3)):
    one large block is freed ahead, none of whose pages is touched. Without it each operation of
    generation, whose sizes grow from step to step, gets its pages anew: the first rows that a process
    draws of loan and whitewine took a fifth more time. On systems without glibc this does nothing.
    """
    torch.empty(KEPT, dtype=torch.uint8)
