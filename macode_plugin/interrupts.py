"""Ctrl-C while threads work: noted at once, answered between two steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["Interrupts"]


class Interrupts:
    """Holds Ctrl-C back until :meth:`answer`, for as long as the context lasts.

    Python raises ``KeyboardInterrupt`` wherever the main thread happens to be, as in the middle of
    starting or joining a worker, or of an optimizer's step. Here it waits for the step's end; a second
    Ctrl-C does not. A handler that is not Python's own, as of a host, stays; so does Python's where the
    context is not entered from the main thread, the only one that may change it.
    """

    def __init__(self) -> None:
        self.asked = False
        self.installed = False

    def __enter__(self) -> Interrupts:
        self.asked = False
        in_main = threading.current_thread() is threading.main_thread()
        self.installed = in_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self.installed:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if self.installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            self.installed = False
        if kind is None:
            self.answer()

    def answer(self) -> None:
        """Raise ``KeyboardInterrupt`` if Ctrl-C was pressed since the context began."""
        if self.asked:
            self.asked = False
            raise KeyboardInterrupt

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            signal.default_int_handler(number, frame)
        self.asked = True
