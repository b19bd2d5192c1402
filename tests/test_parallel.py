"""Parts of the rows side by side: the same rows, whatever the number of threads."""

from __future__ import annotations

import threading
import time

import numpy as np
import pandas as pd
import pytest
import torch

from macode_plugin.parallel import LEAST_ROWS, side_by_side, split

CPU = torch.device("cpu")


@pytest.fixture
def threads():
    """A function that sets how many threads torch may use, until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_rows", [0, 1, LEAST_ROWS, 3 * LEAST_ROWS + 1, 40_000])
def test_parts_hold_every_row_once(threads, n_threads, n_rows):
    threads(n_threads)
    parts = split(n_rows, 4096, CPU)
    rows = [row for part in parts for row in range(part.start, part.stop)]
    assert rows == list(range(n_rows))
    sizes = [part.stop - part.start for part in parts]
    assert max(sizes, default=0) <= 4096
    assert all(size >= LEAST_ROWS for size in sizes[:-1])


def test_there_are_parts_for_all_threads_if_there_are_rows_enough(threads):
    threads(3)
    assert len(split(3 * LEAST_ROWS, 4096, CPU)) == 3
    assert len(split(LEAST_ROWS, 4096, CPU)) == 1
    assert len(split(3 * LEAST_ROWS, 4096, torch.device("cuda"))) == 1


def test_several_parts_are_under_way_at_once(threads):
    threads(3)
    together = threading.Barrier(3, timeout=60)
    side_by_side(lambda part: together.wait(), [slice(i, i + 1) for i in range(3)], CPU)
    assert not together.broken


def test_the_number_of_threads_does_not_change_the_rows(threads, mixed_model):
    drawn = []
    for n_threads in (1, 3):
        threads(n_threads)
        drawn.append(mixed_model.sample(3 * LEAST_ROWS, constraints=[("int", ">", 0)], random_state=7))
    pd.testing.assert_frame_equal(*drawn)


def test_the_number_of_threads_is_left_as_it_was(threads):
    threads(3)
    seen = []
    side_by_side(lambda part: seen.append(torch.get_num_threads()), [slice(0, 1), slice(1, 2)], CPU)
    assert seen == [1, 1]
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen[2] == torch.get_num_threads() == 3


def test_an_error_in_a_part_is_raised_and_ends_the_others(threads):
    threads(2)
    begun = []

    def work(part):
        begun.append(part.start)
        if part.start == 0:
            raise ValueError("part 0")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="part 0"):
        side_by_side(work, [slice(i, i + 1) for i in range(1000)], CPU)
    assert np.unique(begun).size < 1000
    assert torch.get_num_threads() == 2
