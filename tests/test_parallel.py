"""Parts of the rows side by side: the same rows, whatever the number of threads."""

from __future__ import annotations

import copy
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import torch

from macode_plugin import MaCoDE
from macode_plugin.networks import CausalNetwork, Examples
from macode_plugin.parallel import LEAST_ROWS, Workers, split

CPU = torch.device("cpu")


@pytest.fixture
def threads():
    """A function that sets how many threads torch may use, until the test ends."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.fixture
def frame():
    """A table of 240 rows and 6 columns, enough for halves of batches."""
    numbers = np.random.default_rng(0).normal(size=(240, 6)).cumsum(axis=1)
    return pd.DataFrame(numbers, columns=list("abcdef"))


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


@pytest.mark.parametrize("most", [700, 1000, 4096])
def test_no_part_cuts_a_unit(most, threads):
    threads(2)
    parts = split(10_000, most, CPU, 900)
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(10_000))
    assert all(part.start % 900 == 0 for part in parts)
    assert len(parts) == (12 if most < 1800 else 4)


@pytest.mark.parametrize("n_threads", [1, 2, 3])
@pytest.mark.parametrize("unit", [1, 100, 667, 1000])
def test_threads_get_parts_alike(threads, n_threads, unit):
    """As many for one as for another, and none more than a unit larger."""
    threads(n_threads)
    for n_rows in (4_000, 16_000, 17_001, 100_000):
        parts = split(n_rows, 2978, CPU, unit)
        units = [-(-(part.stop - part.start) // unit) for part in parts]
        assert max(units) - min(units) <= 1
        assert len(parts) % n_threads == 0


def test_several_parts_are_under_way_at_once(threads):
    threads(3)
    together = threading.Barrier(3, timeout=60)
    with Workers(5, CPU) as workers:
        assert workers.n == 3
        arrivals = workers.map(lambda part: together.wait(), range(3))
    assert sorted(arrivals) == [0, 1, 2]


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_the_order_of_the_parts(threads, n_threads):
    threads(n_threads)
    with Workers(3, CPU) as workers:
        assert workers.map(lambda part: part * part, range(50)) == [i * i for i in range(50)]


def test_ctrl_c_as_workers_end_leaves_torch_its_threads(threads, monkeypatch):
    threads(2)
    honest = ThreadPoolExecutor.shutdown

    def interrupted(pool, **options):
        honest(pool, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(ThreadPoolExecutor, "shutdown", interrupted)
    workers = Workers(2, CPU)
    workers.__enter__()
    with pytest.raises(KeyboardInterrupt):
        workers.__exit__()
    assert torch.get_num_threads() == 2
    with pytest.raises(KeyboardInterrupt), workers:  # whoever comes next has them too
        assert workers.map(abs, [-1, -2]) == [1, 2]
    assert (torch.get_num_threads(), workers.n) == (2, 1)


def test_an_accelerator_gets_one_part_after_another(threads):
    threads(3)
    with Workers(3, torch.device("cuda")) as workers:
        assert workers.n == 1
        assert workers.map(lambda part: threading.get_ident(), range(3)) == [threading.get_ident()] * 3


def test_the_number_of_threads_does_not_change_independent_rows(threads, mixed_model):
    model = copy.copy(mixed_model).set_params(stratified=False)
    drawn = []
    for n_threads in (1, 3):
        threads(n_threads)
        drawn.append(model.sample(3 * LEAST_ROWS, constraints=[("int", ">", 0)], random_state=7))
    pd.testing.assert_frame_equal(*drawn)


def test_the_number_of_threads_changes_what_is_learned_by_rounding_alone(threads, frame):
    losses = []
    for n_threads in (1, 2, 5):
        threads(n_threads)
        model = MaCoDE(epochs=3, batch_size=256, precision="float32", random_state=0, verbose=False)
        history = model.fit(frame).history_
        assert torch.get_num_threads() == n_threads
        losses.append([(record["train_nll"], record["validation_nll"]) for record in history])
    np.testing.assert_allclose(losses[1:], np.broadcast_to(losses[0], (2, 3, 2)), rtol=1e-4)


def test_halves_of_a_batch_are_learned_from_side_by_side(threads, frame, monkeypatch):
    threads(2)
    together = threading.Barrier(2, timeout=60)
    honest = CausalNetwork.loss

    def loss(self, examples):
        assert len(examples.tokens) == 120
        together.wait()
        return honest(self, examples)

    monkeypatch.setattr(CausalNetwork, "loss", loss)
    MaCoDE(epochs=1, batch_size=240, validation_fraction=0.0, verbose=False).fit(frame)
    assert not together.broken


@pytest.mark.parametrize("network", ["causal", "masked"])
@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_a_wide_table_of_fewer_rows_than_threads_is_fitted(threads, monkeypatch, network, n_rows):
    threads(2)
    monkeypatch.setattr("macode_plugin.training.LEAST_CELLS", 1)
    sizes = []
    honest = Examples.split
    monkeypatch.setattr(Examples, "split", lambda self, n: (sizes.append(n), honest(self, n))[1])
    frame = pd.DataFrame({"a": np.arange(n_rows), "b": list("uvw")[:n_rows]})
    model = MaCoDE(network=network, epochs=2, validation_fraction=0.0, verbose=False).fit(frame)
    assert len(model.sample(5)) == 5
    assert sizes == [min(n_rows, 2)] * 2


def test_a_callback_has_all_of_torchs_threads(threads, frame):
    threads(2)
    seen = []
    MaCoDE(epochs=2, verbose=False).fit(
        frame, callback=lambda record: seen.append(torch.get_num_threads())
    )
    assert seen == [2, 2]


def test_an_interrupted_fit_leaves_the_number_of_threads_as_it_was(threads, frame):
    threads(2)

    def stop(record):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        MaCoDE(epochs=2, verbose=False).fit(frame, callback=stop)
    assert torch.get_num_threads() == 2


def test_the_number_of_threads_is_left_as_it_was(threads):
    threads(3)
    with Workers(2, CPU) as workers:
        seen = workers.map(lambda part: torch.get_num_threads(), range(2))
        assert seen == [1, 1]
        assert torch.get_num_threads() == 1  # its others would be idle, in a loop
    later = threading.Thread(target=lambda: seen.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert seen[2] == torch.get_num_threads() == 3


def test_an_error_in_a_part_is_raised_and_ends_the_others(threads):
    threads(2)
    begun = []

    def work(part):
        begun.append(part)
        if part == 0:
            raise ValueError("part 0")
        time.sleep(0.01)

    with pytest.raises(ValueError, match="part 0"), Workers(2, CPU) as workers:
        workers.map(work, range(1000))
    assert np.unique(begun).size < 1000
    assert torch.get_num_threads() == 2
