"""Ctrl-C in training: the step at hand is finished first, unless it is pressed twice."""

from __future__ import annotations

import itertools
import signal
import threading

import pytest
import torch
from runs import dependent_columns

from macode_plugin.interrupts import Interrupts
from macode_plugin.networks import CausalNetwork
from macode_plugin.training import Trainer


@pytest.fixture(autouse=True)
def default_handler():
    """Python's own handler of Ctrl-C, which processes in a shell's background lack."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def at_loss(monkeypatch):
    """A function that has something done within the loss of one step of training."""
    calls, honest = itertools.count(1), CausalNetwork.loss

    def set_up(step, act):
        def loss(*args, **options):
            if next(calls) == step:
                act()
            return honest(*args, **options)

        monkeypatch.setattr(CausalNetwork, "loss", loss)

    return set_up


def ctrl_c():
    signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("n_threads", [1, 2])
def test_the_step_at_hand_is_finished(tiny, at_loss, monkeypatch, n_threads):
    trainers, run = [], Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, after: (trainers.append(self), run(self, after))[1])
    at_loss(7, ctrl_c)
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        with pytest.warns(UserWarning, match="interrupted after 1 epochs"):
            model = tiny(epochs=5).fit(dependent_columns())  # five steps an epoch
        assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    assert trainers[0].step == 7
    assert len(model.history_) == 1
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_callback_is_finished(tiny):
    finished = []

    def callback(record):
        ctrl_c()
        finished.append(record["epoch"])

    with pytest.warns(UserWarning, match="interrupted after 1 epochs"):
        tiny(epochs=5).fit(dependent_columns(), callback=callback)
    assert finished == [1]


def under_interrupts(*acts):
    """Do one after another while Ctrl-C is held back."""
    with Interrupts():
        for act in acts:
            act()


def test_pressed_twice_it_waits_for_nothing():
    with pytest.raises(KeyboardInterrupt):
        under_interrupts(ctrl_c, ctrl_c, lambda: pytest.fail("the second one was held back"))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_none_is_lost_at_the_end():
    reached = []
    with pytest.raises(KeyboardInterrupt):
        under_interrupts(ctrl_c, lambda: reached.append(True))
    assert reached


def test_one_is_answered_once():
    with Interrupts() as interrupts:
        ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            interrupts.answer()
        interrupts.answer()


def test_an_error_is_not_hidden_by_ctrl_c():
    with pytest.raises(ZeroDivisionError):
        under_interrupts(ctrl_c, lambda: 1 / 0)


def test_a_handler_of_the_callers_stays(tiny, at_loss):
    heard = []
    at_loss(7, ctrl_c)
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(True))
    try:
        model = tiny(epochs=3).fit(dependent_columns())
    finally:
        signal.signal(signal.SIGINT, before)
    assert heard == [True]
    assert len(model.history_) == 3


def test_outside_the_main_thread_nothing_changes(tiny):
    models = []
    thread = threading.Thread(target=lambda: models.append(tiny(epochs=2).fit(dependent_columns())))
    thread.start()
    thread.join()
    assert len(models[0].history_) == 2
