"""The peers of question 3 that need this environment; miniature runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from benchmarks import imputers, masks


@pytest.mark.parametrize("name", ["miceforest", "hyperimpute"])
def test_a_peer_completes_a_table_and_repeats(name):
    complete = load_breast_cancer(as_frame=True).frame.iloc[:120, [0, 1, 2, 30]]
    holed = complete.mask(masks.mcar(complete, 0.3, np.random.default_rng(0)))
    runs = []
    for _ in range(2):
        imputer = imputers.IMPUTERS[name](5, None)
        imputer.fit(holed, ["target"])
        runs.append(imputer.impute(holed, 2))
    for one, again in zip(*runs):
        pd.testing.assert_frame_equal(one, again)
        assert one.notna().all(axis=None)
        assert one.index.equals(holed.index)
        assert one.columns.equals(holed.columns)
        seen = holed.notna()
        pd.testing.assert_frame_equal(one.where(seen).astype(float), holed)
        # With pandas 3 hyperimpute fills in the mean of the column and nothing else.
        assert one["mean radius"][holed["mean radius"].isna()].nunique() > 10
