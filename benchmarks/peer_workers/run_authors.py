"""The authors' macode package, with the paper's settings or with the package's own.

The package wants the target last and categories as 1..K, recodes the frame that it is given, and seeds
the global generators. Version 1.0.1 does not hand ``bins`` on to its data set, which then has 10 bins
whatever the network has; the data set is made again here, by its own class.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import protocol
from macode.dataset import CustomDataset
from macode.macode import MaCoDE
from torch.utils.data import DataLoader

# The paper's table of settings; the package's own defaults are 10 bins, width 512, 8 heads, 1 layer
# and 1000 epochs. Its optimiser has no weight decay, where the paper has .001.
_PAPER = {
    "bins": 50,
    "dim_transformer": 128,
    "num_transformer_heads": 4,
    "num_transformer_layer": 2,
    "epochs": 500,
    "batch_size": 1024,
    "lr": 1e-3,
}
_SETTINGS = {"authors": _PAPER, "authors-defaults": {}}


def fit(train: pd.DataFrame, job: dict[str, Any]) -> protocol.Draw:
    """Fit the model on codes; what is drawn has categories again."""
    options = dict(_SETTINGS[job["peer"]])
    if job["epochs"] is not None:
        options["epochs"] = job["epochs"]
    categories = {column: sorted(train[column].unique()) for column in job["categorical"]}
    for column, known in categories.items():
        train[column] = train[column].map({category: k for k, category in enumerate(known, start=1)})
    columns = {
        "continuous_features": job["continuous"],
        "categorical_features": job["categorical"],
        "integer_features": [c for c in job["continuous"] if train[c].dtype.kind == "i"],
    }
    model = MaCoDE(data=train.copy(), **columns, seed=job["seed"], **options)
    model.dataset = CustomDataset(data=train.copy(), **columns, bins=model.bins)
    model.dataloader = DataLoader(model.dataset, batch_size=model.batch_size, shuffle=True)
    model.train()

    def draw(n_rows: int) -> pd.DataFrame:
        drawn = model.generate_data(n_rows, seed=job["seed"])
        for column, known in categories.items():
            drawn[column] = drawn[column].map(dict(enumerate(known, start=1)))
        return drawn

    return draw


if __name__ == "__main__":
    protocol.work(fit, protocol.version("macode"))
