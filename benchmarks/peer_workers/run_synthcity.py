"""Plugins of synthcity, with their own settings."""

from __future__ import annotations

from typing import Any

import pandas as pd
import protocol
from synthcity.plugins import Plugins
from synthcity.plugins.core.dataloader import GenericDataLoader

_PLUGINS = Plugins()  # takes seconds, like an import


def fit(train: pd.DataFrame, job: dict[str, Any]) -> protocol.Draw:
    """Fit the plugin that the peer is named after."""
    options = {} if job["epochs"] is None else {"n_iter": job["epochs"]}
    plugin = _PLUGINS.get(job["peer"], random_state=job["seed"], **options)
    plugin.fit(GenericDataLoader(train, target_column=job["target"]))
    return lambda n_rows: plugin.generate(count=n_rows).dataframe()


if __name__ == "__main__":
    protocol.work(fit, protocol.version("synthcity"))
