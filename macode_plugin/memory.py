"""How the C library's allocator treats memory that operations have done with."""

from __future__ import annotations

import ctypes
import platform

__all__ = ["keep_freed_memory"]

MMAP_THRESHOLD = (-3, 32 * 2**20)
"""glibc's M_MMAP_THRESHOLD, the largest that it takes: larger blocks are given back when freed."""

TRIM_THRESHOLD = (-1, 64 * 2**20)
"""glibc's M_TRIM_THRESHOLD: twice the other, as glibc itself sets both."""


def keep_freed_memory() -> None:
    """Have glibc keep what is freed for what comes next, rather than give it back to the system.

    By itself glibc comes to keep blocks of up to the largest that it has given back so far (mallopt(3)),
    which it seldom does with blocks that threads free. Operations of generation, whose sizes grow from
    step to step, and of every epoch, which has threads of its own, then get their pages anew: on two
    threads fits took 1 to 6 % more time (letter, loan, whitewine, concrete, redwine), rows of whitewine
    drawn after a fit and a process' first of loan a quarter more. Without glibc this does nothing.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    for option, value in (MMAP_THRESHOLD, TRIM_THRESHOLD):
        libc.mallopt(option, value)
