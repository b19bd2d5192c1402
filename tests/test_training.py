"""Fitting: likelihood falls, seeds decide, the best epoch is kept, and runs end when they should."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from runs import OVERFIT, dependent_columns, same_run, same_weights, stop_after

from macode_plugin.muon import Muon
from macode_plugin.training import Trainer


@pytest.fixture
def frame():
    return dependent_columns()


def test_the_likelihood_rises_to_what_the_table_allows(form, tiny):
    rng = np.random.default_rng(1)
    letters = rng.permutation(np.repeat(list("abcd"), 150))
    twins = pd.DataFrame({"one": letters, "two": letters})
    model = tiny(network=form, epochs=30, lr=1e-2, ema_decay=0.9, validation_fraction=0.2).fit(twins)
    nll = [record["validation_nll"] for record in model.history_]
    assert nll[0] > 1.5 * math.log(4)
    # One fair letter in four, and its twin for free; no model does better.
    assert min(nll) == pytest.approx(math.log(4), abs=0.08)


@pytest.mark.parametrize(
    ("optimizer", "n_rows", "adamw", "last"),
    [
        ("muon", 300, 0.5, 1.0),
        ("muon", 2100, 0.7, 1.0),
        ("muon", 4000, 1.0, 1.0),
        ("muon", 9000, 1.5**3, 1.5**0.5),
        ("muon", 20_000, 7.0, 1.4),
        ("adamw", 300, 1.0, 1.0),
        ("adamw", 20_000, 1.0, 1.0),
    ],
)
def test_rates_beside_muon_depend_on_the_rows(tiny, optimizer, n_rows, adamw, last):
    frame = pd.DataFrame({name: np.resize(list("aab" + name), n_rows) for name in "klmno"})
    once = {"epochs": 1, "batch_size": n_rows, "validation_fraction": 0.0, "ema_decay": 0.0}
    once.update(optimizer=optimizer, schedule="constant", weight_decay=0.0)
    # AdamW's first step moves every weight that has a gradient by the rate.
    still, moved = (tiny(**once, lr=lr).fit(frame) for lr in (1e-12, 1e-2))
    step = (moved.network_.queries - still.network_.queries).abs().max().item()
    assert step == pytest.approx(adamw * 1e-2, rel=1e-3)
    assert moved.history_[0]["lr"] == pytest.approx(last * 1e-2)  # of the last optimizer, Muon if any


def test_rates_of_the_masked_form_do_not_grow(tiny):
    frame = pd.DataFrame({"k": np.resize(list("aab"), 9000), "l": np.resize(list("xyyy"), 9000)})
    once = {"network": "masked", "epochs": 1, "batch_size": 9000, "validation_fraction": 0.0}
    once.update(schedule="constant", weight_decay=0.0, ema_decay=0.0)
    still, moved = (tiny(**once, lr=lr).fit(frame) for lr in (1e-12, 1e-2))
    step = (moved.network_.mask - still.network_.mask).abs().max().item()
    assert step == pytest.approx(1e-2, rel=1e-3)
    assert moved.history_[0]["lr"] == pytest.approx(1e-2)


@pytest.mark.parametrize(("n_rows", "momentum"), [(300, 0.95), (2100, 0.93), (6000, 0.9)])
def test_muon_remembers_longer_on_small_tables(tiny, monkeypatch, n_rows, momentum):
    seen = []

    class Noted(Muon):
        def __init__(self, params, **settings):
            super().__init__(params, **settings)
            seen.append(self.param_groups[0]["momentum"])

    monkeypatch.setattr("macode_plugin.rates.Muon", Noted)
    frame = pd.DataFrame({"k": np.resize(list("aab"), n_rows)})
    tiny(epochs=1, validation_fraction=0.0).fit(frame)
    assert seen == [pytest.approx(momentum)] * 2  # one for each kind of matrices


@pytest.mark.parametrize("n_rows", [300, 6000])
def test_the_rate_falls_from_the_middle_on(tiny, n_rows):
    frame = pd.DataFrame({"k": np.resize(list("aab"), n_rows)})
    model = tiny(epochs=20, validation_fraction=0.0, batch_size=150).fit(frame)
    per_epoch = math.ceil(n_rows / 150)
    # Muon's, which is half of it for one column, and grows with large tables.
    peak = model.lr / 2 * max(n_rows / 4000, 1) ** 0.25
    for record in model.history_[2:]:  # the first tenth is warm-up
        done = (record["epoch"] * per_epoch - 1) / (20 * per_epoch)
        assert record["lr"] == pytest.approx(peak * min(1.0, 2 * (1 - done)))
    assert model.history_[0]["lr"] < model.history_[2]["lr"]


def test_training_nll_falls(tiny, frame):
    history = tiny(epochs=8, lr=1e-2).fit(frame).history_
    assert history[-1]["train_nll"] < history[0]["train_nll"] - 0.3


def test_training_and_validation_nll_are_both_nats_per_row(tiny, frame):
    record = tiny(epochs=1, lr=1e-9, validation_fraction=0.5).fit(frame).history_[0]
    assert record["train_nll"] == pytest.approx(record["validation_nll"], rel=0.05)


def test_the_history_has_a_record_for_each_epoch(form, tiny, frame):
    model = tiny(network=form, epochs=4, validation_fraction=0.2, refit=False).fit(frame)
    assert [record["epoch"] for record in model.history_] == [1, 2, 3, 4]
    for record in model.history_:
        assert set(record) == {"epoch", "train_nll", "validation_nll", "lr", "seconds"}
        assert all(math.isfinite(value) for value in record.values())
        assert 0 < record["lr"] <= model.lr
    seconds = [record["seconds"] for record in model.history_]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_without_validation_rows_the_validation_nll_is_nan(tiny, frame):
    model = tiny(validation_fraction=0.0).fit(frame)
    assert all(math.isnan(record["validation_nll"]) for record in model.history_)


def test_same_seed_same_weights(form, tiny, frame):
    one, two, other = (tiny(network=form, random_state=seed).fit(frame) for seed in (7, 7, 8))
    assert same_run(one, two)
    assert not same_weights(one, other)


def test_no_seed_no_two_runs_alike(tiny, frame):
    assert not same_weights(tiny(random_state=None).fit(frame), tiny(random_state=None).fit(frame))


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_the_epoch_with_the_best_validation_is_kept(ema_decay, tiny, frame):
    options = {**OVERFIT, "ema_decay": ema_decay, "refit": False}
    whole = tiny(**options).fit(frame.head(100))
    best = int(np.argmin([record["validation_nll"] for record in whole.history_])) + 1
    assert best < 25, "it never overfitted: the test has no power"
    until_best = tiny(**options).fit(frame.head(100), callback=stop_after(best))
    until_next = tiny(**options).fit(frame.head(100), callback=stop_after(best - 1))
    assert same_weights(whole, until_best)
    assert not same_weights(whole, until_next)


@pytest.mark.parametrize("patience", [1, 3])
def test_patience_stops_after_so_many_epochs_without_a_better_one(patience, tiny, frame):
    options = {**OVERFIT, "refit": False}
    whole = [record["validation_nll"] for record in tiny(**options).fit(frame.head(100)).history_]
    model = tiny(**options, patience=patience).fit(frame.head(100))
    nll = [record["validation_nll"] for record in model.history_]
    assert nll == whole[: len(nll)]
    assert len(nll) < 25
    assert len(nll) - (int(np.argmin(nll)) + 1) == patience
    before = [len(nll[:e]) - (int(np.argmin(nll[:e])) + 1) for e in range(1, len(nll))]
    assert max(before) < patience


def test_patience_without_validation_rows_trains_to_the_end(tiny, frame):
    model = tiny(epochs=6, patience=1, validation_fraction=0.0).fit(frame)
    assert len(model.history_) == 6


@pytest.mark.usefixtures("clock")
def test_max_time_stops_and_leaves_a_usable_model_with_its_schedule_completed(tiny, frame):
    # An epoch of 270 steps takes several of the clock's seconds: the budget ends within one.
    model = tiny(epochs=10**6, batch_size=1).fit(frame, max_time=1.0)
    assert 1.0 <= model.history_[-1]["seconds"] < 1.2
    model = tiny(epochs=10**6).fit(frame, max_time=1.0)
    assert model.history_[-1]["seconds"] >= 1.0
    assert len(model.history_) > 1
    assert all(record["seconds"] < 1.0 for record in model.history_[:-1])
    assert model.history_[-1]["lr"] < 0.02 * model.lr
    assert model.sample(30).notna().all(axis=None)


def test_a_time_budget_below_one_step_still_leaves_a_model(tiny, frame):
    model = tiny(epochs=50).fit(frame, max_time=1e-9)
    assert len(model.history_) == 1
    assert len(model.sample(5)) == 5


@pytest.mark.parametrize("max_time", [0, -1.0, math.nan, "5"])
def test_an_impossible_time_budget_is_refused(max_time, tiny, frame):
    with pytest.raises(ValueError, match=rf"max_time.*{max_time}"):
        tiny().fit(frame, max_time=max_time)


def test_training_that_diverges_says_so(form, tiny, frame):
    with pytest.raises(ValueError, match=r"diverged in epoch .*smaller lr, however: lr=1e\+30"):
        tiny(network=form, lr=1e30, epochs=5).fit(frame)


def test_weights_of_an_unknown_likelihood_are_never_the_best(tiny, frame, monkeypatch):
    found = iter([3.0, math.nan, 2.0, math.nan, 4.0])
    monkeypatch.setattr(Trainer, "validation_nll", lambda self: next(found))
    best = []
    five = tiny(epochs=5, refit=False)
    model = five.fit(frame, callback=lambda record: best.append(record["validation_nll"]))
    assert len(best) == 5
    monkeypatch.undo()
    third = tiny(epochs=5, refit=False).fit(frame, callback=stop_after(3))
    assert same_weights(model, third)


def test_training_needs_no_double_precision(tiny, frame, monkeypatch):
    def refuse(tensor):
        raise TypeError("Apple's devices have no float64")

    monkeypatch.setattr(torch.Tensor, "double", refuse)
    assert frame.isna().any(axis=None)
    tiny().fit(frame)


def test_the_callback_sees_every_record_and_stops_the_run(tiny, frame):
    seen = []
    model = tiny(epochs=9).fit(frame, callback=lambda record: seen.append(record) or len(seen) == 3)
    assert seen == model.history_
    assert len(seen) == 3


def test_an_interrupt_leaves_the_best_weights_so_far_and_a_warning(tiny, frame):
    def interrupt(record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after 2 epochs"):
        model = tiny(epochs=9).fit(frame, callback=interrupt)
    assert len(model.history_) == 2
    assert same_weights(model, tiny(epochs=9).fit(frame, callback=stop_after(2)))
    assert len(model.sample(5)) == 5


def test_any_other_exception_is_the_callers(tiny, frame):
    def fail(record):
        raise RuntimeError("from the callback")

    model = tiny()
    with pytest.raises(RuntimeError, match="from the callback"):
        model.fit(frame, callback=fail)
    assert not hasattr(model, "network_")


def test_few_rows_and_large_batches(form, tiny, frame):
    model = tiny(network=form, batch_size=10_000, validation_fraction=0.9).fit(frame.head(4))
    assert len(model.sample(5)) == 5


def test_each_weight_has_one_optimizer(form, tiny, frame, monkeypatch):
    trainers = []
    run = Trainer.run
    monkeypatch.setattr(Trainer, "run", lambda self, after: (trainers.append(self), run(self, after))[1])
    for optimizer in ("muon", "adamw"):
        tiny(network=form, optimizer=optimizer).fit(frame)
    for trainer in trainers:
        updated = [p for o in trainer.optimizers for group in o.param_groups for p in group["params"]]
        assert sorted(map(id, updated)) == sorted(map(id, trainer.network.parameters()))
    muon, adamw = trainers
    assert [type(optimizer).__name__ for optimizer in adamw.optimizers] == ["AdamW"]
    *muons, rest = muon.optimizers
    assert {type(optimizer).__name__ for optimizer in muons} == {"Muon"} != {type(rest).__name__}
    by_muon = {id(p) for one in muons for group in one.param_groups for p in group["params"]}
    layers = [p for p in muon.network.parameters() if p.ndim == 2 and max(p.shape) == 48]
    assert [id(weight) in by_muon for weight in layers] == [True]  # three matrices of 16 x 16
