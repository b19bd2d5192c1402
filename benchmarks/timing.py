"""How long a step of a benchmark takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["timed"]

Result = TypeVar("Result")


def timed(step: Callable[[], Result]) -> tuple[Result, float]:
    """Return what a step returns, and the seconds of wall clock that it takes, to milliseconds."""
    start = time.perf_counter()
    result = step()
    return result, round(time.perf_counter() - start, 3)
