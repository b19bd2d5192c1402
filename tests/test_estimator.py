"""``MaCoDE`` as scikit-learn and its users expect an estimator to behave."""

from __future__ import annotations

import copy
import doctest
import math
import os
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from devices import move_away
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tables import mixed_table

import macode_plugin
import macode_plugin.estimator
from macode_plugin import MaCoDE


@pytest.fixture
def frame():
    return mixed_table(120)[["int", "str", "float"]]


def test_parameters_are_read_and_set():
    model = MaCoDE(n_bins=20)
    assert model.get_params()["n_bins"] == 20
    assert model.set_params(n_bins=30, width=32) is model
    assert (model.n_bins, model.width) == (30, 32)
    with pytest.raises(ValueError, match="n_bin"):
        model.set_params(n_bin=3)


def test_the_constructor_checks_and_changes_nothing():
    odd = {"n_bins": -1, "epochs": "many", "random_state": "zero"}
    assert {name: getattr(MaCoDE(**odd), name) for name in odd} == odd


def test_a_clone_is_unfitted_and_equal_in_parameters(tiny, frame):
    model = tiny().fit(frame)
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    assert not hasattr(twin, "network_")
    expected = model.sample(9, random_state=0)
    pd.testing.assert_frame_equal(twin.fit(frame).sample(9, random_state=0), expected)


def test_the_text_of_an_estimator_names_what_was_changed():
    assert repr(MaCoDE()) == "MaCoDE()"
    assert repr(MaCoDE(n_bins=7)) == "MaCoDE(n_bins=7)"


def test_fit_returns_the_estimator_and_ignores_y(tiny, frame):
    model = tiny()
    assert model.fit(frame, None) is model
    assert model.n_features_in_ == 3
    assert model.feature_names_in_.tolist() == ["int", "str", "float"]


def test_fit_changes_no_parameter(tiny, frame):
    model = tiny(random_state=None)
    before = model.get_params()
    model.fit(frame)
    assert model.get_params() == before


def test_fitting_again_starts_again(tiny, frame):
    model = tiny().fit(mixed_table(100)[["bool"]])
    model.sample(5)
    model.fit(frame)
    fresh = tiny().fit(frame)
    assert len(model.history_) == len(fresh.history_)
    pd.testing.assert_frame_equal(model.sample(20), fresh.sample(20))


def test_a_failed_fit_keeps_the_old_model(tiny, frame):
    model = tiny().fit(frame)
    before = model.sample(9, random_state=0)
    with pytest.raises(ValueError, match="inf"):
        model.fit(frame.assign(float=np.inf))
    pd.testing.assert_frame_equal(model.sample(9, random_state=0), before)


def test_an_unfitted_model_says_so(tmp_path):
    with pytest.raises(NotFittedError, match=r"MaCoDE is not fitted.*call fit"):
        MaCoDE().sample(3)
    with pytest.raises(NotFittedError, match=r"MaCoDE is not fitted.*call fit"):
        MaCoDE().save(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_fitted_model_can_be_copied_and_pickled(tiny, frame):
    model = tiny().fit(frame)
    expected = model.sample(20, random_state=0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        pd.testing.assert_frame_equal(twin.sample(20, random_state=0), expected)


def test_weights_are_pickled_on_the_cpu_and_the_models_own_stay_where_they_are(tiny, frame):
    model = move_away(tiny().fit(frame))
    assert model.__getstate__()["network_"].places == ["cuda:5", "cpu"]
    assert pickle.loads(pickle.dumps(model)).network_.places[:2] == ["cuda:5", "cpu"]
    assert model.network_.places == ["cuda:5"]


@pytest.mark.parametrize(("device", "found"), [("meta", "meta"), ("cpu", "cpu"), ("cuda:99", "cpu")])
def test_unpickled_weights_go_to_the_models_device_if_it_is_here(device, found, tiny, frame):
    model = tiny().fit(frame).set_params(device=device)
    twin = pickle.loads(pickle.dumps(model))
    assert {weight.device.type for weight in twin.network_.parameters()} == {found}
    assert twin.device == device


def test_an_unfitted_model_can_be_pickled(tiny, frame):
    twin = pickle.loads(pickle.dumps(tiny()))
    assert twin.get_params() == tiny().get_params()
    assert not hasattr(twin, "network_")


BAD_PARAMETERS = [
    ("network", "diagonal"),
    ("optimizer", "sgd"),
    ("schedule", "linear"),
    ("missing", "drop"),
    ("n_bins", 0),
    ("n_bins", 2.5),
    ("n_bins", "50"),
    ("n_bins", None),
    ("width", -8),
    ("n_heads", 0),
    ("n_layers", True),
    ("n_layers", "deep"),
    ("feed_forward", 0),
    ("feed_forward", "wide"),
    ("batch_size", 0),
    ("batch_size", "all"),
    ("batch_size", 64.5),
    ("precision", "float16"),
    ("epochs", 0),
    ("epochs", "many"),
    ("epochs", None),
    ("patience", 0),
    ("lr", 0.0),
    ("lr", -1e-3),
    ("lr", float("nan")),
    ("lr", "fast"),
    ("weight_decay", -0.1),
    ("ema_decay", 1.0),
    ("ema_decay", -0.5),
    ("validation_fraction", 1.0),
    ("validation_fraction", -0.1),
    ("validation_fraction", None),
    ("device", "abacus"),
    ("random_state", -1),
    ("random_state", "zero"),
]


@pytest.mark.parametrize(("name", "value"), BAD_PARAMETERS, ids=str)
def test_an_impossible_parameter_is_refused_by_name_and_value(name, value, tiny, frame):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=rf"{name}.*{value}"):
        tiny(**{name: value}).fit(frame)


@pytest.mark.parametrize(
    "name", ["n_bins", "batch_size", "epochs", "n_layers", "feed_forward", "patience"]
)
def test_the_refusal_names_the_automatic_choice(name, tiny, frame):
    with pytest.raises(ValueError, match=rf"at least 1.*auto.*{name}=0"):
        tiny(**{name: 0}).fit(frame)


@pytest.mark.parametrize(("n_rows", "n_layers", "feed_forward"), [(599, 1, 24), (600, 2, 96)])
def test_automatic_layers_are_fewer_and_narrower_on_small_tables(
    form, n_rows, n_layers, feed_forward, tiny, tmp_path
):
    def by_size(model):
        return sorted((name, tuple(weight.shape)) for name, weight in model.network_.named_parameters())

    frame = pd.DataFrame({"gaps": np.arange(n_rows) % 7, "whole": np.arange(n_rows) % 5})
    frame["gaps"] = frame["gaps"].where(frame["gaps"] > 2)

    def fitted(n_layers, feed_forward):
        sizes = {"n_layers": n_layers, "feed_forward": feed_forward}
        return tiny(network=form, width=24, epochs=1, **sizes).fit(frame)

    model = fitted("auto", "auto")
    assert by_size(model) == by_size(fitted(n_layers, feed_forward))
    assert by_size(model) != by_size(fitted(3 - n_layers, feed_forward))
    assert by_size(model) != by_size(fitted(n_layers, 120 - feed_forward))
    model.save(tmp_path / "model.macode")
    twin = MaCoDE.load(tmp_path / "model.macode")
    assert (twin.n_layers, twin.feed_forward, by_size(twin)) == ("auto", "auto", by_size(model))


def test_a_width_that_the_heads_do_not_divide_is_refused(tiny, frame):
    with pytest.raises(ValueError, match=r"width=16, n_heads=3"):
        tiny(n_heads=3).fit(frame)


@pytest.mark.parametrize("n", [-1, 2.5, "3", float("nan"), float("inf")])
def test_an_impossible_number_of_rows_is_refused(n, mixed_model):
    with pytest.raises((ValueError, TypeError), match=rf"n must be.*{n}"):
        mixed_model.sample(n)


def test_whole_numbers_of_any_type_are_numbers_of_rows(mixed_model):
    for n in (3, 3.0, np.int8(3), np.float32(3)):
        assert len(mixed_model.sample(n, random_state=0)) == 3


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan")])
def test_an_impossible_temperature_is_refused(temperature, mixed_model):
    with pytest.raises(ValueError, match=rf"temperature must be positive.*{temperature}"):
        mixed_model.sample(3, temperature=temperature)


@pytest.mark.parametrize("seed", [-1, "zero", 1.5])
def test_an_impossible_seed_of_a_draw_is_refused(seed, mixed_model):
    with pytest.raises((ValueError, TypeError), match=rf"random_state.*{seed}"):
        mixed_model.sample(3, random_state=seed)


def test_the_paper_preset_is_the_published_method():
    """Section 2.2 of the paper; the feed-forward width is the default that the authors' code leaves."""
    model = MaCoDE.paper(random_state=4)
    assert model.network == "masked"
    assert (model.width, model.n_heads, model.n_layers, model.feed_forward) == (128, 4, 2, 2048)
    assert (model.n_bins, model.atoms) == (50, False)
    assert (model.ordered_basis, model.marginal_bias) == (False, False)
    assert (model.epochs, model.batch_size, model.lr, model.weight_decay) == (500, 1024, 1e-3, 1e-3)
    assert (model.schedule, model.ema_decay, model.validation_fraction) == ("constant", 0.0, 0.0)
    assert model.patience is None
    assert model.missing == "mask"
    assert model.random_state == 4
    assert MaCoDE.paper(epochs=3).epochs == 3


def test_the_paper_preset_trains(frame):
    small = {"epochs": 2, "feed_forward": 64, "device": "cpu", "verbose": False}
    model = MaCoDE.paper(**small, random_state=0).fit(frame)
    assert {record["lr"] for record in model.history_} == {1e-3}
    assert model.network_.heads.bias.abs().max() < 0.1, "biases start at zero"
    assert len(model.network_.heads.bias) == 2 * 50 + frame["str"].nunique()
    drawn = model.sample(50, random_state=0)
    assert drawn.dtypes.tolist() == frame.dtypes.tolist()
    assert drawn["float"].between(frame["float"].min(), frame["float"].max()).all()


def test_automatic_batches_are_a_share_of_small_tables_and_bounded_for_large_ones():
    sizes = [macode_plugin.settings.auto_batch(rows) for rows in (1, 40, 90, 599, 600, 768, 10**6)]
    assert sizes == [16, 16, 30, 64, 200, 256, 256]


def test_an_automatic_batch_is_that_of_the_training_rows(tiny):
    def nll(batch_size):
        model = tiny(batch_size=batch_size, epochs=3, validation_fraction=0.5).fit(mixed_table(160))
        return model.history_[-1]["train_nll"]

    assert nll("auto") == nll(27) != nll(40)


def test_automatic_bins_are_finer_on_small_tables():
    bins = [macode_plugin.settings.auto_bins(rows) for rows in (1, 300, 896, 1280, 2000, 10**6)]
    assert bins == [10, 21, 64, 64, 100, 200]
    column = pd.DataFrame({"x": np.random.default_rng(0).normal(size=300)})
    model = MaCoDE(epochs=1, verbose=False, random_state=0).fit(column)
    assert model.table_.vocabulary.sizes == (21,)


def test_automatic_epochs_are_enough_steps_for_small_and_large_tables(tiny):
    epochs = []
    for rows in (64, 640):
        model = tiny(epochs="auto", validation_fraction=0.0)
        model.fit(mixed_table(rows)[["bool"]], callback=lambda record: True)
        assert len(model.history_) == 1
        epochs.append(macode_plugin.settings.auto_epochs(rows, 64))
    assert epochs[0] > epochs[1] >= 1


def test_automatic_epochs_keep_the_passes_of_mid_sized_tables_and_spare_large_ones():
    def steps(rows):
        return macode_plugin.settings.auto_epochs(rows, 256) * math.ceil(rows / 256)

    by_size = [steps(rows) for rows in (768, 3_000, 6_000, 15_000, 60_000, 1_000_000)]
    assert by_size == sorted(by_size)
    assert steps(768) / steps(3_000) == pytest.approx(5 / 6, rel=0.01)
    assert steps(512) == pytest.approx(steps(3_000), rel=0.01)
    assert steps(8_000) / steps(4_000) == pytest.approx(2, rel=0.05)
    assert steps(160_000) / steps(40_000) == pytest.approx(2, rel=0.12)  # in whole passes


def test_verbose_shows_a_bar_and_silence_is_silent(tiny, frame, capsys):
    tiny(verbose=True).fit(frame)
    assert "nll" in capsys.readouterr().err
    tiny().fit(frame)
    assert capsys.readouterr() == ("", "")


def test_the_example_runs():
    finder = doctest.DocTestFinder()
    examples = [
        test for test in finder.find(MaCoDE, "MaCoDE", module=macode_plugin.estimator) if test.examples
    ]
    assert examples
    for example in examples:
        assert doctest.DocTestRunner().run(example).failed == 0


def printed_by(program):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    ).stdout.strip()


def test_importing_the_package_imports_no_library():
    program = (
        "import sys, macode_plugin; dir(macode_plugin); "
        "print({'torch', 'sklearn', 'pandas', 'numpy', 'synthcity', 'sdv'} & set(sys.modules))"
    )
    assert printed_by(program) == "set()"


def test_importing_the_estimator_imports_no_host():
    program = (
        "import sys; from macode_plugin import MaCoDE; "
        "print({name for name in sys.modules if name.split('.')[0] in ('synthcity', 'sdv', 'ctgan')})"
    )
    assert printed_by(program) == "set()"


def test_the_package_says_what_it_holds():
    assert macode_plugin.__version__.count(".") == 2
    assert {"MaCoDE", "MISSING", "ModelFileError"} <= set(dir(macode_plugin))
    with pytest.raises(AttributeError, match="no attribute 'MaCode'"):
        _ = macode_plugin.MaCode
