"""A table to train on in the tests, runs over it that stop, and what two runs have in common."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from macode_plugin import MaCoDE

OVERFIT = {"epochs": 25, "lr": 3e-2, "schedule": "constant", "batch_size": 16}
OVERFIT["validation_fraction"] = 0.5


def dependent_columns() -> pd.DataFrame:
    """Three columns that depend on each other, one with missing cells."""
    rng = np.random.default_rng(0)
    kind = rng.choice(list("pqrs"), 300)
    size = rng.normal(size=300) + 3 * (kind == "p")
    level = np.where(rng.random(300) < 0.2, np.nan, np.round(size))
    return pd.DataFrame({"kind": kind, "size": size, "level": level})


def same_weights(a: MaCoDE, b: MaCoDE) -> bool:
    pairs = zip(a.network_.state_dict().items(), b.network_.state_dict().items())
    return all(name == other and torch.equal(one, two) for (name, one), (other, two) in pairs)


def without_seconds(model):
    records = [{k: v for k, v in record.items() if k != "seconds"} for record in model.history_]
    return pd.DataFrame(records)


def same_run(a, b):
    pd.testing.assert_frame_equal(without_seconds(a), without_seconds(b), check_exact=True)
    pd.testing.assert_frame_equal(a.sample(20), b.sample(20))
    return same_weights(a, b)


def stop_after(epoch):
    return lambda record: record["epoch"] == epoch


def noting(epochs):
    """Return a callback that appends each record's epoch to a list, and never stops."""
    return lambda record: epochs.append(record["epoch"])
