"""CTGAN and TVAE as the ctgan package has them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import protocol
from ctgan import CTGAN, TVAE

_MODELS = {"ctgan": CTGAN, "tvae": TVAE}


def fit(train: pd.DataFrame, job: dict[str, Any]) -> protocol.Draw:
    """Fit the model that the peer is named after."""
    options = {} if job["epochs"] is None else {"epochs": job["epochs"]}
    model = _MODELS[job["peer"]](enable_gpu=False, **options)
    model.set_random_state(job["seed"])
    model.fit(train, job["categorical"])
    return model.sample


if __name__ == "__main__":
    protocol.work(fit, protocol.version("ctgan"))
