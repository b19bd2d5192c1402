"""TabularARGN of mostlyai-engine, with its own settings but one.

Value protection is off: it replaces rare categories by one of its own and cuts off extreme values,
which no other model here does and every measure of quality punishes.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import protocol
from mostlyai.engine import TabularARGN


def fit(train: pd.DataFrame, job: dict[str, Any]) -> protocol.Draw:
    """Fit the model; it trains for at most so many epochs and stops early by itself."""
    options = {} if job["epochs"] is None else {"max_epochs": job["epochs"]}
    model = TabularARGN(
        tgt_encoding_types=dict.fromkeys(job["categorical"], "TABULAR_CATEGORICAL"),
        value_protection=False,
        device="cpu",
        random_state=job["seed"],
        **options,
    )
    return model.fit(train).sample


if __name__ == "__main__":
    protocol.work(fit, protocol.version("mostlyai-engine"))
