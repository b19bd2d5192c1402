"""Once held-out rows have chosen the best epoch, training goes on over all rows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from runs import OVERFIT, dependent_columns, same_weights

from macode_plugin.networks import CausalNetwork
from macode_plugin.training import Trainer


@pytest.fixture
def frame():
    return dependent_columns()


def searched(model) -> int:
    """Return the number of epochs that held-out rows were scored after."""
    found = [math.isnan(record["validation_nll"]) for record in model.history_]
    n_epochs = found.index(True) if True in found else len(found)
    assert all(found[n_epochs:])
    return n_epochs


def test_every_row_is_learned_in_the_end(tiny, monkeypatch):
    names = pd.DataFrame({"name": [f"row {i}" for i in range(60)]})
    epochs: list[set[int]] = []
    honest, run_epoch = CausalNetwork.loss, Trainer.run_epoch

    def loss(self, examples):
        epochs[-1].update(examples.tokens[:, 0].tolist())
        return honest(self, examples)

    def begin(self):
        epochs.append(set())
        return run_epoch(self)

    monkeypatch.setattr(CausalNetwork, "loss", loss)
    monkeypatch.setattr(Trainer, "run_epoch", begin)
    tiny(epochs=4, validation_fraction=0.25).fit(names)
    assert [len(rows) for rows in epochs[:3]] == [45, 45, 60]
    assert epochs[0] == epochs[1] < epochs[2] == set(range(60))


@pytest.mark.parametrize(("epochs", "two_thirds"), [(1, 1), (2, 1), (3, 2), (6, 4)])
def test_two_thirds_search_and_the_rest_learns_all_rows(epochs, two_thirds, form, tiny, frame):
    model = tiny(network=form, epochs=epochs).fit(frame)
    assert len(model.history_) == epochs
    assert searched(model) == two_thirds


def test_the_rate_sinks_to_zero_over_the_second_half_if_the_last_epoch_was_the_best(tiny, frame):
    model = tiny(epochs=40, batch_size=300).fit(frame)
    rates = [record["lr"] for record in model.history_]
    assert searched(model) == int(np.nanargmin([r["validation_nll"] for r in model.history_])) + 1
    peak = model.lr / 2  # of few columns
    assert rates[4:20] == [pytest.approx(peak)] * 16
    assert rates[20:] == [pytest.approx(peak * (1 - step / 20)) for step in range(20)]


def test_the_rate_sinks_to_zero_from_where_the_search_ended(tiny, frame):
    model = tiny(**{**OVERFIT, "epochs": 50, "schedule": "trapezoidal"}, patience=3).fit(frame.head(100))
    end, n_epochs = searched(model), len(model.history_)
    rates = [record["lr"] for record in model.history_]
    peak = model.lr / 2  # of few columns
    assert rates[end - 1] == pytest.approx(peak)
    steps = math.ceil(100 / model.batch_size)  # at an epoch's end, its last step is yet to sink
    sunk = [1 - (epoch + 1 - 1 / steps) / (n_epochs - end) for epoch in range(n_epochs - end)]
    assert rates[end:] == [pytest.approx(peak * factor) for factor in sunk]


def test_overfitting_ends_the_search_and_half_as_many_epochs_as_the_best_took_follow(tiny, frame):
    model = tiny(**{**OVERFIT, "epochs": 50}, patience=3).fit(frame.head(100))
    nll = [record["validation_nll"] for record in model.history_]
    best = int(np.nanargmin(nll)) + 1
    assert searched(model) == best + 3 < 33
    assert len(model.history_) == (best + 3) + math.ceil(best / 2)


@pytest.mark.parametrize("ema_decay", [0.0, 0.9])
def test_all_rows_are_learned_from_the_best_weights_on(ema_decay, tiny, frame, monkeypatch):
    options = {**OVERFIT, "epochs": 50, "patience": 3, "ema_decay": ema_decay}
    kept = tiny(**options, refit=False).fit(frame.head(100))
    step = Trainer._train_step

    def idle(self, tokens, seconds):
        if self.refit is None:
            return step(self, tokens, seconds)
        self.step += 1
        return 0.0

    monkeypatch.setattr(Trainer, "_train_step", idle)
    refitted = tiny(**options).fit(frame.head(100))
    assert len(refitted.history_) > len(kept.history_)
    assert same_weights(kept, refitted)


def test_what_is_learned_of_all_rows_is_kept(tiny, frame):
    options = {"epochs": 6, "lr": 1e-2}
    weights = [
        tiny(**options).fit(frame, callback=lambda record, last=last: record["epoch"] == last)
        for last in (4, 5, 6)
    ]
    assert not same_weights(weights[0], weights[1])
    assert same_weights(weights[2], tiny(**options).fit(frame))
    assert not same_weights(weights[1], weights[2])


@pytest.mark.usefixtures("clock")
def test_two_thirds_of_a_time_budget_are_for_the_search(tiny, frame):
    model = tiny(epochs=10**6).fit(frame, max_time=3.0)
    last = model.history_[searched(model) - 1]
    assert 2.0 <= last["seconds"] < 2.2
    assert 3.0 <= model.history_[-1]["seconds"] < 3.2
    assert model.history_[-1]["lr"] < 0.1 * last["lr"]


@pytest.mark.parametrize("changes", [{"refit": False}, {"validation_fraction": 0.0}])
def test_without_it_or_held_out_rows_all_epochs_are_alike(changes, tiny, frame):
    model = tiny(epochs=4, **changes).fit(frame)
    assert len(model.history_) == 4
    assert len({math.isnan(record["validation_nll"]) for record in model.history_}) == 1


def test_a_run_interrupted_while_all_rows_are_learned_keeps_what_it_has(tiny, frame):
    def interrupt(record):
        if record["epoch"] == 5:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted after 5 epochs"):
        model = tiny(epochs=6).fit(frame, callback=interrupt)
    whole = tiny(epochs=6).fit(frame)
    assert searched(model) == 4
    assert not same_weights(model, whole)
    assert len(model.sample(5)) == 5
