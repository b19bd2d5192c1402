"""Plugins of synthcity, with their own settings.

They find categories by themselves, numbers of few values among them or not; here they are told which
columns are, by text in place of the categories.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import protocol
from synthcity.plugins import Plugins
from synthcity.plugins.core.dataloader import GenericDataLoader

_PLUGINS = Plugins()  # takes seconds, like an import


def fit(train: pd.DataFrame, job: dict[str, Any]) -> protocol.Draw:
    """Fit the plugin that the peer is named after; what is drawn has the categories themselves."""
    options = {} if job["epochs"] is None else {"n_iter": job["epochs"]}
    categories = {column: train[column].unique() for column in job["categorical"]}
    train = train.astype(dict.fromkeys(categories, str))
    plugin = _PLUGINS.get(job["peer"], random_state=job["seed"], **options)
    plugin.fit(GenericDataLoader(train, target_column=job["target"]))

    def draw(n_rows: int) -> pd.DataFrame:
        drawn = plugin.generate(count=n_rows).dataframe()
        for column, known in categories.items():
            drawn[column] = drawn[column].map({str(category): category for category in known})
        return drawn

    return draw


if __name__ == "__main__":
    protocol.work(fit, protocol.version("synthcity"))
