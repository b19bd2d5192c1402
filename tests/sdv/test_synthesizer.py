"""What SDV asks of a single-table synthesizer, asked of ours in the installed SDV."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from both_lines import COLUMNS, TINY, TWO, describe, fit, guests, make, pack, sample, unpack
from sdv.errors import NotFittedError

from macode_plugin import MaCoDE, MaCoDESynthesizer


def printed_by(code):
    """Return what a new process prints that runs the code."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_importing_the_package_imports_no_host():
    code = (
        "import macode_plugin, sys; macode_plugin.MaCoDE;"
        "print(sorted({'sdv', 'rdt', 'synthcity'} & set(sys.modules)))"
    )
    assert printed_by(code).split()[-1] == "[]"


def test_without_sdv_the_error_says_what_to_install():
    code = (
        "import sys; sys.modules['sdv'] = None\n"
        "try:\n    from macode_plugin import MaCoDESynthesizer\n"
        "except ImportError as error:\n    print(error)"
    )
    assert 'pip install "macode-plugin[sdv]"' in printed_by(code)


def test_the_defaults_are_the_model_s_own():
    ours = MaCoDE(missing="model", device="cpu", verbose=False)
    synthesizer = MaCoDESynthesizer(describe({"a": "numerical"}), enable_gpu=False)
    assert synthesizer._density().get_params() == ours.get_params()


def test_parameters_are_those_given():
    given = {"epochs": 7, "batch_size": 32, "width": 32, "temperature": 1.5, "random_state": 3}
    synthesizer = MaCoDESynthesizer(describe({"a": "numerical"}), enforce_rounding=False, **given)
    parameters = synthesizer.get_parameters()
    assert given.items() <= parameters.items()
    assert (parameters["enforce_rounding"], parameters["enforce_min_max_values"]) == (False, True)
    assert parameters["locales"] == ["en_US"]
    again = MaCoDESynthesizer(describe({"a": "numerical"}), **parameters)
    assert again.get_parameters() == parameters


@pytest.mark.parametrize(
    ("argument", "value"), [("epochs", 0), ("temperature", -1.0), ("width", 9), ("random_state", -4)]
)
def test_an_impossible_parameter_is_named(argument, value):
    with pytest.raises(ValueError, match=argument):
        make({"a": "numerical"}, **{argument: value})


@pytest.mark.parametrize("switch", [{"enable_gpu": False}, {"cuda": False}, {"cuda": "cpu"}])
def test_the_switches_of_both_lines_keep_it_on_the_cpu(switch):
    frame = pd.DataFrame({"a": np.arange(40.0)})
    synthesizer = fit(make({"a": "numerical"}, **{"enable_gpu": True, **switch}), frame)
    assert next(synthesizer._model.density.network_.parameters()).device.type == "cpu"


def test_metadata_comes_back(fitted):
    assert fitted.get_metadata().to_dict() == describe(COLUMNS, primary_key="key").to_dict()


@pytest.mark.skipif(TWO, reason="SDV 2 has no SingleTableMetadata")
def test_metadata_of_the_old_kind():
    from sdv.metadata import SingleTableMetadata

    metadata = SingleTableMetadata.load_from_dict({"columns": {"a": {"sdtype": "numerical"}}})
    with pytest.warns(FutureWarning):
        synthesizer = MaCoDESynthesizer(metadata, **TINY)
    synthesizer.fit(pd.DataFrame({"a": np.arange(50.0)}))
    assert len(synthesizer.sample(7)) == 7


def test_info_tells_before_and_after_fitting(fitted):
    unfitted = make({"a": "numerical"})
    assert unfitted.get_info()["class_name"] == "MaCoDESynthesizer"
    assert not unfitted.get_info()["is_fit"]
    info = fitted.get_info()
    assert info["is_fit"]
    assert info["fitted_sdv_version"] is not None


def test_the_callers_frame_is_not_modified(table):
    before = table.copy(deep=True)
    synthesizer = make(COLUMNS, primary_key="key")
    fit(synthesizer, table)
    synthesizer.sample_remaining_columns(table[["size", "kind"]])
    pd.testing.assert_frame_equal(table, before)


def test_it_can_be_fitted_again_to_another_table(table):
    synthesizer = fit(make(COLUMNS, primary_key="key"), table)
    other = guests(seed=5).assign(kind="new")
    fit(synthesizer, other)
    assert set(sample(synthesizer, 20)["kind"]) == {"new"}


def test_fitting_in_two_steps_is_fitting(table):
    whole = sample(fit(make(COLUMNS, primary_key="key"), table), 20)
    synthesizer = make(COLUMNS, primary_key="key")
    synthesizer.fit_processed_data(synthesizer.preprocess(pack(table)))
    modelled = ["size", "count", "kind", "day"]
    pd.testing.assert_frame_equal(sample(synthesizer, 20)[modelled], whole[modelled])


def test_transformers_are_assigned_and_may_be_replaced(table):
    from rdt.transformers import FloatFormatter, LabelEncoder, UnixTimestampEncoder

    synthesizer = make(COLUMNS, primary_key="key")
    synthesizer.auto_assign_transformers(pack(table))
    assigned = synthesizer.get_transformers()
    assert [name for name in COLUMNS if assigned[name] is None] == [
        *("size", "count", "kind", "grade", "truth", "day", "written")
    ]
    new = {
        "kind": LabelEncoder(),
        "size": FloatFormatter(missing_value_generation="from_column"),
        "day": UnixTimestampEncoder(enforce_min_max_values=True),
    }
    synthesizer.update_transformers(new)
    drawn = sample(fit(synthesizer, table), 40)
    pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)
    assert set(drawn["kind"]) <= {"a", "b", "c"}
    known = pd.DataFrame({"kind": ["c", "a"], "grade": [2, 5]})
    got = unpack(synthesizer.sample_remaining_columns(known))
    pd.testing.assert_frame_equal(got[["kind", "grade"]], known)


def test_losses_fall_and_are_drawn():
    frame = pd.DataFrame({"a": ["x", "y"] * 200, "b": ["x", "y"] * 200})
    synthesizer = make({"a": "categorical", "b": "categorical"}, epochs=10, lr=1e-2)
    with pytest.raises(NotFittedError):
        synthesizer.get_loss_values()
    fit(synthesizer, frame)
    losses = synthesizer.get_loss_values()
    assert list(losses.columns) == ["Epoch", "Loss", "Validation Loss"]
    assert len(losses) == 10
    assert losses["Loss"].iloc[-1] < losses["Loss"].iloc[0]
    figure = synthesizer.get_loss_values_plot(title="Losses")
    assert figure.layout.title.text == "Losses"
    assert len(figure.data) == 2
