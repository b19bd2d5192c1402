"""Fixtures that several test files share; the tables themselves are in ``tables.py``."""

from __future__ import annotations

import importlib.metadata
import itertools
import random
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tables import joint_table, mixed_table

from macode_plugin import MaCoDE


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


# A host's tests need the host; setup.cfg says where both cannot be installed together.
collect_ignore = [host for host in ("synthcity", "sdv", "sdgym", "hyperimpute") if not _installed(host)]

TINY = {
    "width": 16,
    "n_heads": 2,
    "n_layers": 1,
    "feed_forward": 32,
    "n_bins": 10,
    "context_noise": 0.0,  # ten bins would make it large; it has tests of its own
    "epochs": 2,
    "batch_size": 64,
    "patience": None,
    "device": "cpu",
    "random_state": 0,
    "verbose": False,
}
"""Parameters of a model that fits in a moment."""

FORMS = ("causal", "masked")


@pytest.fixture(scope="session")
def tiny():
    """A function that makes an unfitted small model, with any parameter changed."""
    return lambda **changes: MaCoDE(**{**TINY, **changes})


@pytest.fixture
def clock(monkeypatch):
    """A clock for training that moves on by a hundredth of a second each time it is read."""
    reads = itertools.count()

    def read():
        return next(reads) / 100

    fake = SimpleNamespace(monotonic=read, perf_counter=read, time=read)
    monkeypatch.setattr("macode_plugin.training.time", fake)


@pytest.fixture
def mixed() -> pd.DataFrame:
    """A small table with a column of every kind."""
    return mixed_table()


@pytest.fixture(scope="session", params=FORMS)
def form(request) -> str:
    """Either form of the network."""
    return request.param


@pytest.fixture(scope="session")
def mixed_model() -> MaCoDE:
    """A small causal model of the mixed table. Seed every draw: the model is shared."""
    return MaCoDE(**TINY).fit(mixed_table())


@pytest.fixture(scope="session")
def joint_model(form) -> MaCoDE:
    """A model of either form, trained until it knows the enumerated joint."""
    sizes = {"width": 32, "feed_forward": 64, "n_layers": 1}
    training = {"epochs": 60, "batch_size": 256, "lr": 2e-3, "ema_decay": 0.98}
    options = {**TINY, **sizes, **training, "validation_fraction": 0.0, "network": form}
    return MaCoDE(**options).fit(joint_table())


@pytest.fixture
def random_states():
    """A function that returns the state of every global random generator."""

    def states():
        numpys = np.random.get_state()  # noqa: NPY002
        return random.getstate(), numpys[1].tolist(), numpys[2:], torch.get_rng_state().tolist()

    return states
