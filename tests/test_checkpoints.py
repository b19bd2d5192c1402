"""Runs that were stopped continue as if they had not been, from a file that fits no other run."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from runs import OVERFIT, dependent_columns, noting, same_run, stop_after

from macode_plugin import ModelFileError, storage
from macode_plugin.networks import CausalNetwork


@pytest.fixture
def frame():
    return dependent_columns()


RUNS = {
    "averaged": {},
    "plain": {"ema_decay": 0.0, "schedule": "constant"},
    "no validation": {"validation_fraction": 0.0},
    "patient": {"patience": 4, "lr": 3e-2},
}


@pytest.mark.parametrize("last", [2, 3, 5])  # of seven; held-out rows are learned from the fourth on
@pytest.mark.parametrize("run", RUNS)
def test_a_run_that_was_stopped_continues_as_if_it_had_not_been(run, last, form, tiny, frame, tmp_path):
    options = {"network": form, "epochs": 7, **RUNS[run]}
    path = tmp_path / "run"
    stopped = tiny(**options).fit(frame, checkpoint=path, callback=stop_after(last))
    assert len(stopped.history_) == last
    assert path.exists()
    seen = []
    resumed = tiny(**options).fit(frame, checkpoint=path, callback=noting(seen))
    assert seen[0] == last + 1
    assert same_run(resumed, tiny(**options).fit(frame))
    assert not path.exists()


def test_a_run_stopped_after_its_best_epoch_still_knows_it(tiny, frame, tmp_path):
    options = {**OVERFIT, "patience": 4}
    whole = tiny(**options).fit(frame.head(100))
    last = len(whole.history_)
    path = tmp_path / "run"
    tiny(**options).fit(frame.head(100), checkpoint=path, callback=stop_after(last - 2))
    assert same_run(tiny(**options).fit(frame.head(100), checkpoint=path), whole)


def test_a_run_stopped_twice_continues_too(tiny, frame, tmp_path):
    path = tmp_path / "run"
    for epoch in (2, 4):
        tiny(epochs=6).fit(frame, checkpoint=path, callback=stop_after(epoch))
    assert same_run(tiny(epochs=6).fit(frame, checkpoint=path), tiny(epochs=6).fit(frame))


def test_a_run_that_crashed_continues_from_its_last_saved_epoch(tiny, frame, tmp_path, monkeypatch):
    monkeypatch.setattr("macode_plugin.checkpoints.INTERVAL", 0.0)
    path = tmp_path / "run"

    def crash(record):
        if record["epoch"] == 4:
            raise MemoryError

    with pytest.raises(MemoryError):
        tiny(epochs=6).fit(frame, checkpoint=path, callback=crash)
    seen = []
    resumed = tiny(epochs=6).fit(frame, checkpoint=path, callback=noting(seen))
    assert seen == [4, 5, 6]
    assert same_run(resumed, tiny(epochs=6).fit(frame))


def test_a_run_interrupted_between_epochs_continues(tiny, frame, tmp_path):
    path = tmp_path / "run"

    def interrupt(record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted"):
        tiny(epochs=5).fit(frame, checkpoint=path, callback=interrupt)
    assert same_run(tiny(epochs=5).fit(frame, checkpoint=path), tiny(epochs=5).fit(frame))


def interrupt_at(step, monkeypatch):
    """Interrupt training, of which an epoch of 300 rows takes five, at a step."""
    calls = itertools.count(1)
    loss = CausalNetwork.loss

    def interrupted(*args, **options):
        if next(calls) == step:
            raise KeyboardInterrupt
        return loss(*args, **options)

    monkeypatch.setattr(CausalNetwork, "loss", interrupted)


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("step", [6, 8, 15, 28])  # of five an epoch: the first, a middle and a last one
def test_a_run_interrupted_within_an_epoch_continues_from_its_start(
    step, run, tiny, frame, tmp_path, monkeypatch
):
    options = {"epochs": 7, **RUNS[run]}
    path = tmp_path / "run"
    interrupt_at(step, monkeypatch)
    n_epochs = (step - 1) // 5
    said = rf"interrupted after {n_epochs} epochs; .* so far; {re.escape(str(path))} keeps the state"
    with pytest.warns(UserWarning, match=said):
        model = tiny(**options).fit(frame, checkpoint=path)
    assert len(model.history_) == n_epochs
    assert len(model.sample(5)) == 5
    seen = []
    resumed = tiny(**options).fit(frame, checkpoint=path, callback=noting(seen))
    assert seen[0] == n_epochs + 1
    assert same_run(resumed, tiny(**options).fit(frame))


def test_a_run_interrupted_again_and_again_within_one_epoch_continues(
    tiny, frame, tmp_path, monkeypatch
):
    path = tmp_path / "run"
    for step in (12, 1, 2):  # of the third epoch: the second step, and twice again
        with monkeypatch.context() as patch:
            interrupt_at(step, patch)
            with pytest.warns(UserWarning, match="interrupted after 2 epochs"):
                tiny(epochs=5).fit(frame, checkpoint=path)
    assert same_run(tiny(epochs=5).fit(frame, checkpoint=path), tiny(epochs=5).fit(frame))


def test_a_run_interrupted_in_its_first_epoch_says_that_nothing_is_kept(
    tiny, frame, tmp_path, monkeypatch
):
    interrupt_at(3, monkeypatch)
    with pytest.warns(UserWarning, match=r"after 0 epochs; .*nothing to continue, and no .*run"):
        tiny(epochs=5).fit(frame, checkpoint=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_without_a_checkpoint_none_is_spoken_of(tiny, frame, monkeypatch):
    interrupt_at(8, monkeypatch)
    with pytest.warns(UserWarning, match=r"so far$"):
        tiny(epochs=5).fit(frame)


def test_a_folder_that_is_absent_is_told_of_before_training(tiny, frame, tmp_path):
    seen = []
    with pytest.raises(FileNotFoundError, match=r"no such folder for the checkpoint: .*nowhere"):
        tiny().fit(frame, checkpoint=tmp_path / "nowhere" / "run", callback=noting(seen))
    assert seen == []


def test_a_run_without_a_seed_continues_too(tiny, frame, tmp_path):
    path = tmp_path / "run"
    tiny(epochs=5, random_state=None).fit(frame, checkpoint=path, callback=stop_after(2))
    model = tiny(epochs=5, random_state=None).fit(frame, checkpoint=path)
    assert [record["epoch"] for record in model.history_] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("random_state", [None, 0])
def test_a_checkpoint_is_read_once(random_state, tiny, frame, tmp_path, monkeypatch):
    path = tmp_path / "run"
    tiny(epochs=3, random_state=random_state).fit(frame, checkpoint=path, callback=stop_after(2))
    read, seen = storage.read, []
    monkeypatch.setattr(storage, "read", lambda *args: seen.append(args) or read(*args))
    tiny(epochs=3, random_state=random_state).fit(frame, checkpoint=path)
    assert seen == [(path, "checkpoint")]


def test_a_complete_run_leaves_no_file(tiny, frame, tmp_path):
    tiny().fit(frame, checkpoint=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("change", ["data", "rows", "lr", "network"])
def test_a_checkpoint_of_another_run_is_refused_and_kept(change, tiny, frame, tmp_path):
    path = tmp_path / "run"
    tiny(epochs=5).fit(frame, checkpoint=path, callback=stop_after(2))
    before = path.read_bytes()
    other = frame.assign(kind=frame["kind"].iloc[::-1].to_numpy()) if change == "data" else frame
    other = frame.iloc[1:] if change == "rows" else other
    options = {"lr": {"lr": 1e-4}, "network": {"network": "masked"}}.get(change, {})
    with pytest.raises(ValueError, match=r"run belongs to other data or parameters"):
        tiny(epochs=5, **options).fit(other, checkpoint=path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("first", "second"), [("01", "ab"), ("ab", "cd")])
def test_a_checkpoint_of_other_values_with_the_same_tokens_is_refused(
    first, second, tiny, frame, tmp_path
):
    def with_values(pair):
        return frame.assign(extra=np.tile(list(pair), len(frame))[: len(frame)])

    path = tmp_path / "run"
    tiny(epochs=5).fit(with_values(first), checkpoint=path, callback=stop_after(2))
    with pytest.raises(ValueError, match=r"run belongs to other data or parameters"):
        tiny(epochs=5).fit(with_values(second), checkpoint=path)


def test_how_rows_are_spread_may_change_between_the_parts_of_a_run(tiny, frame, tmp_path):
    path = tmp_path / "run"
    tiny(epochs=4).fit(frame, checkpoint=path, callback=stop_after(2))
    resumed = tiny(epochs=4, stratified=False).fit(frame, checkpoint=path)
    assert same_run(resumed, tiny(epochs=4, stratified=False).fit(frame))


def test_whether_a_bar_is_shown_may_change_between_the_parts_of_a_run(tiny, frame, tmp_path):
    path = tmp_path / "run"
    tiny(epochs=4, verbose=True).fit(frame, checkpoint=path, callback=stop_after(2))
    assert same_run(tiny(epochs=4).fit(frame, checkpoint=path), tiny(epochs=4).fit(frame))


def test_a_model_is_no_checkpoint(tiny, frame, tmp_path):
    model = tiny().fit(frame)
    model.save(tmp_path / "model")
    with pytest.raises(ModelFileError, match="no macode checkpoint"):
        tiny().fit(frame, checkpoint=tmp_path / "model")
