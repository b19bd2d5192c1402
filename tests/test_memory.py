"""Memory that was freed is there for the next operation, without new pages of the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGES_OF_BLOCKS = """
import resource
import threading
import torch
from macode_plugin.memory import keep_freed_memory


def blocks():
    for mebibytes in range(1, 13):
        torch.zeros(mebibytes * 2**18)


def blocks_again():
    blocks()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)


if {n_small}:  # a heap with room, which the last of them keeps from being given back
    last = [torch.zeros(2**14) for _ in range({n_small})][-1]
if {kept}:
    keep_freed_memory()
thread = threading.Thread(target=blocks_again)
thread.start()
thread.join()
"""


def pages(n_small: int, kept: bool) -> int:
    program = PAGES_OF_BLOCKS.format(n_small=n_small, kept=kept)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's allocator")
@pytest.mark.parametrize("n_small", [0, 2000], ids=["fresh", "after other work"])
def test_blocks_of_a_thread_use_the_same_pages_again(n_small):
    assert pages(n_small, kept=True) < 0.5 * pages(n_small, kept=False)
