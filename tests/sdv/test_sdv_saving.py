"""A synthesizer saved and loaded, here, in another process and on another device."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from both_lines import fit, load, make, sample
from devices import move_away

from macode_plugin import MaCoDESynthesizer


def test_a_saved_synthesizer_is_the_synthesizer(fitted, tmp_path):
    fitted.save(tmp_path / "s.pkl")
    again = load(tmp_path / "s.pkl")
    assert isinstance(again, MaCoDESynthesizer)
    assert again.get_info() == fitted.get_info()
    assert again.get_parameters() == fitted.get_parameters()
    assert again.get_metadata().to_dict() == fitted.get_metadata().to_dict()
    fitted.reset_sampling()
    again.reset_sampling()
    pd.testing.assert_frame_equal(sample(again, 30), sample(fitted, 30))


def test_a_saved_synthesizer_samples_in_another_process(fitted, tmp_path):
    fitted.save(tmp_path / "s.pkl")
    code = (
        "import sys; sys.path.insert(0, 'tests/sdv'); import both_lines;"
        "s = both_lines.load(sys.argv[1]); s.reset_sampling();"
        "both_lines.sample(s, 20)[['size', 'kind', 'day']].to_pickle(sys.argv[2])"
    )
    target = tmp_path / "rows.pkl"
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.pkl"), str(target)],
        check=True,
        capture_output=True,
    )
    fitted.reset_sampling()
    wanted = sample(fitted, 20)[["size", "kind", "day"]]
    pd.testing.assert_frame_equal(pd.read_pickle(target), wanted)


def test_weights_are_saved_on_the_cpu_and_the_models_own_stay_where_they_are(tmp_path):
    synthesizer = fit(make({"a": "numerical"}), pd.DataFrame({"a": np.arange(40.0)}))
    density = move_away(synthesizer._model.density)
    synthesizer.save(tmp_path / "s.pkl")
    assert load(tmp_path / "s.pkl")._model.density.network_.places[:2] == ["cuda:5", "cpu"]
    assert density.network_.places == ["cuda:5"]


def test_a_device_that_is_not_here_becomes_the_cpu(tmp_path):
    synthesizer = fit(make({"a": "numerical"}), pd.DataFrame({"a": np.arange(40.0)}))
    synthesizer._model.density.device = "cuda:99"
    synthesizer.save(tmp_path / "s.pkl")
    assert len(sample(load(tmp_path / "s.pkl"), 5)) == 5


def test_a_newer_sdv_refuses_to_be_read_by_this_one(fitted, tmp_path):
    from sdv.errors import VersionError

    again = MaCoDESynthesizer.__new__(MaCoDESynthesizer)
    again.__dict__.update(fitted.__dict__)
    again._fitted_sdv_version = "999.0.0"
    again.save(tmp_path / "s.pkl")
    with pytest.raises(VersionError):
        load(tmp_path / "s.pkl")


def test_an_unfitted_synthesizer_can_be_saved(tmp_path):
    with pytest.warns(UserWarning, match="not yet been fitted"):
        make({"a": "numerical"}).save(tmp_path / "s.pkl")
    again = load(tmp_path / "s.pkl")
    assert not again.get_info()["is_fit"]
    assert len(sample(fit(again, pd.DataFrame({"a": np.arange(40.0)})), 5)) == 5
