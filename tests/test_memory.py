"""Memory that was freed is there for the next operation, without new pages of the system."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

PAGES_OF_GROWING_BLOCKS = """
import resource
import torch
from macode_plugin.memory import keep_freed_memory

if {kept}:
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for mebibytes in range(1, 25):
    torch.zeros(mebibytes * 2**18)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def pages(kept: bool) -> int:
    program = PAGES_OF_GROWING_BLOCKS.format(kept=kept)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="about glibc's allocator")
def test_growing_blocks_use_the_same_pages_again():
    assert pages(kept=True) < 0.6 * pages(kept=False)
