"""The plugin inside the real hyperimpute, which needs an environment of its own (CONTRIBUTING.md)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hyperimpute.plugins.imputers import Imputers
from sklearn.exceptions import NotFittedError
from tables import mixed_table

from macode_plugin import MaCoDE
from macode_plugin.hyperimpute import register

FAST = {"epochs": 2, "width": 16, "n_layers": 1, "random_state": 3}


def holed():
    frame = mixed_table()
    frame.iloc[::3, 0] = np.nan
    return frame


def test_registering_adds_one_imputer_to_the_host_s_own():
    before = set(Imputers().list())
    imputers = Imputers()
    assert register(register(imputers)) is imputers
    assert set(imputers.list()) == before | {"macode"}
    assert "macode" not in Imputers().list()


def test_gaps_are_filled_and_the_rest_stays():
    frame = holed()
    before = frame.copy(deep=True)
    filled = register(Imputers()).get("macode", **FAST).fit_transform(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert not filled.isna().any(axis=None)
    assert filled.dtypes.tolist() == frame.dtypes.tolist()
    for name in frame:
        seen = frame[name].notna()
        pd.testing.assert_series_equal(filled.loc[seen, name], frame.loc[seen, name])


def test_the_defaults_are_the_model_s_own():
    imputer = register(Imputers()).get("macode", epochs=1).fit(holed())
    assert imputer.model.get_params() == MaCoDE(epochs=1, random_state=0, verbose=False).get_params()


def test_the_imputer_is_the_model(tiny):
    frame = holed()
    imputer = register(Imputers()).get("macode", **FAST).fit(frame)
    model = MaCoDE(**FAST, verbose=False).fit(frame)
    pd.testing.assert_frame_equal(imputer.transform(frame), model.impute(frame))
    pd.testing.assert_frame_equal(imputer.transform(frame), model.impute(frame))


def test_lists_are_taken_as_the_host_takes_them():
    rows = [[1.0, 2.0], [np.nan, 3.0], [2.0, np.nan], [1.0, 2.0]] * 10
    filled = register(Imputers()).get("macode", **FAST).fit_transform(rows)
    assert filled.shape == (40, 2)
    assert filled.notna().all(axis=None)


def test_no_global_generator_is_seeded(random_states):
    before = random_states()
    register(Imputers()).get("macode", **FAST).fit_transform(holed())
    assert random_states() == before


def test_a_search_s_choices_make_an_imputer():
    imputers = register(Imputers())
    kind = imputers.get_type("macode")
    for _ in range(5):
        chosen = kind.sample_hyperparameters_np()
        assert imputers.get("macode", **chosen).get_params().items() >= chosen.items()


def test_transforming_before_fitting_is_refused():
    with pytest.raises(NotFittedError, match="call fit"):
        register(Imputers()).get("macode").transform(holed())
