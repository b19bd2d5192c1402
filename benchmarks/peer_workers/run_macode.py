"""MaCoDE of this project, asked in the same way as its peers."""

from __future__ import annotations

from typing import Any

import pandas as pd
import protocol

from macode_plugin import MaCoDE, __version__

_MODELS = {"macode": MaCoDE, "macode-paper": MaCoDE.paper}


def fit(train: pd.DataFrame, job: dict[str, Any]) -> protocol.Draw:
    """Fit the default or the paper's preset."""
    options = {} if job["epochs"] is None else {"epochs": job["epochs"]}
    model = _MODELS[job["peer"]](random_state=job["seed"], verbose=False, **options)
    model.fit(train, categorical_columns=job["categorical"])
    return lambda n_rows: model.sample(n_rows, random_state=job["seed"])


if __name__ == "__main__":
    protocol.work(fit, f"macode-plugin {__version__}")
