"""What synthcity asks of a generic plugin, asked of ours in the installed synthcity."""

import io
import random
import subprocess
import sys

import cloudpickle
import numpy as np
import optuna
import pandas as pd
import pytest
import torch
from devices import move_away
from sklearn.datasets import load_iris
from synthcity.metrics.eval_performance import PerformanceEvaluatorXGB
from synthcity.plugins import Plugin, Plugins
from synthcity.plugins.core.constraints import Constraints
from synthcity.plugins.core.dataloader import (
    GenericDataLoader,
    SurvivalAnalysisDataLoader,
    TimeSeriesDataLoader,
)
from synthcity.utils.serialization import load, load_from_file, save, save_to_file
from typer.testing import CliRunner

import macode_plugin
from macode_plugin import MaCoDE
from macode_plugin.cli import app
from macode_plugin.synthcity import MaCoDEPlugin

QUICK = {"n_iter": 60, "width": 32, "n_layers": 1, "device": "cpu"}


@pytest.fixture(scope="module")
def iris():
    X, y = load_iris(as_frame=True, return_X_y=True)
    return X.assign(target=y)


def by_api(**arguments):
    return Plugins().get("macode", **{**QUICK, **arguments})


def by_class(**arguments):
    return MaCoDEPlugin(**{**QUICK, **arguments})


def after_save(**arguments):
    return load(save(by_class(**arguments)))


WAYS = pytest.mark.parametrize("make", [by_api, by_class, after_save])


@pytest.fixture(scope="module")
def fitted(iris):
    return by_class().fit(GenericDataLoader(iris, target_column="target"))


@WAYS
def test_name_and_type(make):
    plugin = make()
    assert (plugin.name(), plugin.type(), plugin.fqdn()) == ("macode", "generic", "generic.macode")


@WAYS
def test_rows_of_the_schema_come_back(make, iris):
    plugin = make().fit(iris)
    assert isinstance(plugin, MaCoDEPlugin)
    drawn = plugin.generate()
    assert len(drawn) == len(iris)
    assert plugin.schema_includes(drawn)
    assert list(drawn.columns) == list(iris.columns)
    assert len(plugin.generate(50)) == 50


def test_it_is_listed_and_kept_by_every_registry():
    names = Plugins(categories=["generic"]).list()
    assert "macode" in names
    assert {"ctgan", "tvae"} <= set(names)
    Plugins()
    assert Plugins().get_type("macode") is MaCoDEPlugin


def test_it_is_registered_again_after_a_reload():
    Plugins().reload()
    macode_plugin.register()
    macode_plugin.register()
    assert Plugins().list().count("macode") == 1
    assert Plugins().get("macode").name() == "macode"


@pytest.mark.parametrize(
    "order", ["synthcity.plugins, macode_plugin", "macode_plugin, synthcity.plugins"]
)
def test_importing_in_any_order_registers(order):
    code = f"import {order}; print('macode' in synthcity.plugins.core.plugin.PLUGIN_REGISTRY)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "True"


def test_the_defaults_are_the_model_s_own(iris):
    plugin = Plugins().get("macode", n_iter=1, device="cpu").fit(iris[:40])
    ours = MaCoDE(epochs=1, missing="model", device="cpu", random_state=0)
    assert plugin.density.get_params() == ours.get_params()


def test_data_that_is_no_table_is_refused():
    data = [pd.DataFrame({"a": [1.0, 2.0, 3.0]}) for _ in range(4)]
    loader = TimeSeriesDataLoader(data, observation_times=[[1, 2, 3]] * 4)
    with pytest.raises(ValueError, match=r"independent rows .*time_series"):
        by_api().fit(loader)


def test_every_sampled_setting_makes_a_plugin():
    for _ in range(100):
        parameters = MaCoDEPlugin.sample_hyperparameters()
        plugin = MaCoDEPlugin(**parameters)
        assert {name: getattr(plugin, name) for name in parameters} == parameters


def test_optuna_chooses_settings():
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    parameters = MaCoDEPlugin.sample_hyperparameters_optuna(study.ask())
    assert set(parameters) == {parameter.name for parameter in MaCoDEPlugin.hyperparameter_space()}
    assert MaCoDEPlugin(**parameters).n_iter == parameters["n_iter"]


def test_a_seed_gives_the_same_rows_and_no_seed_others(fitted):
    frames = [fitted.generate(30, random_state=seed).dataframe() for seed in (7, 7, 8)]
    pd.testing.assert_frame_equal(frames[0], frames[1])
    assert not frames[0].equals(frames[2])
    assert not fitted.generate(30).dataframe().equals(fitted.generate(30).dataframe())


@WAYS
def test_no_global_generator_is_used(make, iris, random_states):
    Plugins()  # the host's modules seed torch when they are first imported
    # One number from each: none stands where seeding would put it.
    random.random(), np.random.random(), torch.rand(1)  # noqa: NPY002
    before = random_states()
    plugin = make(n_iter=2, random_state=7).fit(iris)
    plugin.generate(20, random_state=3)
    Plugin.load(plugin.save())
    assert random_states() == before


def test_an_accelerator_that_is_not_yet_in_use_will_start_from_the_callers_seed(monkeypatch):
    seeds = []
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeds.append)
    by_class(random_state=7)
    assert seeds[0] == 7, "the host seeds it no more"
    assert seeds[-1] == torch.initial_seed() != 7


def test_a_constraint_gives_the_full_count(fitted):
    rules = Constraints(rules=[("target", "eq", 1)])
    drawn = fitted.generate(200, constraints=rules).dataframe()
    assert len(drawn) == 200
    assert (drawn["target"] == 1).all()


def test_nine_rules_at_once(fitted, iris):
    columns = list(iris.columns[:4])
    rules = [(c, "le", float(iris[c].quantile(0.9))) for c in columns]
    rules += [(c, "ge", float(iris[c].quantile(0.1))) for c in columns]
    rules += [("target", "in", [1, 2])]
    constraints = Constraints(rules=rules)
    drawn = fitted.generate(100, constraints=constraints)
    assert len(drawn) == 100
    assert drawn.satisfies(constraints)


def test_the_hosts_names_of_operators(fitted):
    column = "petal length (cm)"
    for short, sign in (("lt", "<"), ("le", "<="), ("gt", ">"), ("ge", ">="), ("eq", "==")):
        drawn = [
            fitted.generate(20, constraints=Constraints(rules=[(column, op, 4.5)]), random_state=1)
            for op in (short, sign)
        ]
        pd.testing.assert_frame_equal(drawn[0].dataframe(), drawn[1].dataframe())


def test_a_dtype_rule_is_checked(fitted):
    assert len(fitted.generate(5, constraints=Constraints(rules=[("target", "dtype", "int")]))) == 5
    with pytest.raises(ValueError, match="'target', 'dtype', 'float'"):
        fitted.generate(5, constraints=Constraints(rules=[("target", "dtype", "float")]))


def test_an_unsatisfiable_rule_is_named(fitted):
    with pytest.raises(ValueError, match="target == 9"):
        fitted.generate(5, constraints=Constraints(rules=[("target", "==", 9)]))


def test_conditions_on_named_columns_come_back_exactly(fitted):
    given = pd.DataFrame({"target": [2, 0, 1, 1], "sepal length (cm)": [6.0, 5.1, 5.5, 5.9]})
    drawn = fitted.generate(4, cond=given).dataframe()
    pd.testing.assert_frame_equal(drawn[given.columns], given)
    named = pd.Series([2, 0, 1], name="target")
    assert fitted.generate(cond=named).dataframe()["target"].tolist() == [2, 0, 1]
    assert (fitted.generate(9, cond={"target": 2}).dataframe()["target"] == 2).all()


def test_conditions_of_many_rows_say_how_many(fitted, iris):
    given = iris[["target"]].iloc[[0, 60, 120, 61, 1, 2, 149]]
    drawn = fitted.generate(cond=given).dataframe()
    assert drawn["target"].tolist() == given["target"].tolist()
    assert len(fitted.generate(cond={"target": 2})) == len(iris)
    with pytest.raises(ValueError, match="7"):
        fitted.generate(8, cond=given)


@pytest.mark.parametrize("container", [list, np.array, pd.Series, pd.DataFrame])
def test_training_conditions_of_many_rows_say_how_many(iris, container):
    plugin = by_class(n_iter=2).fit(iris, cond=iris["target"])
    assert len(plugin.generate(cond=container([0, 2, 1]))) == 3
    assert len(plugin.generate(cond=1)) == len(iris)


def test_the_hosts_training_condition(iris):
    plugin = by_class(n_iter=250).fit(GenericDataLoader(iris), cond=iris["target"])
    drawn = plugin.generate(100, cond=np.ones(100)).dataframe()
    assert list(drawn.columns) == list(iris.columns)
    assert (drawn["target"] == 1).mean() >= 0.8


def test_a_nameless_condition_without_training_one_is_refused(fitted):
    with pytest.raises(ValueError, match="mapping or a DataFrame"):
        fitted.generate(3, cond=np.ones(3))


@pytest.fixture(scope="module")
def told(iris):
    """A plugin fitted with the host's training condition. Do not change it: it is shared."""
    return by_class(n_iter=100).fit(iris, cond=iris["target"])


@pytest.mark.parametrize("name", ["target", "petal width (cm)"])
def test_names_mean_columns_whatever_cond_was_fitted(told, iris, name):
    given = iris[name].sample(60, random_state=0).reset_index(drop=True)
    for cond in (given, given.to_frame()):
        assert told.generate(60, cond=cond).dataframe()[name].tolist() == given.tolist()


def test_a_misspelled_column_is_no_training_condition(told, fitted):
    given = pd.DataFrame({"petal wdth (cm)": [1.0] * 9})
    for plugin in (told, fitted):
        with pytest.raises(ValueError, match="petal wdth"):
            plugin.generate(9, cond=given)
        with pytest.raises(ValueError, match="petal wdth"):
            plugin.generate(9, cond=given["petal wdth (cm)"])


def test_the_training_condition_takes_no_column_s_place(iris):
    frame = iris.rename(columns={"sepal length (cm)": "cond", "petal width (cm)": "__cond__"})
    drawn = by_class(n_iter=2).fit(frame, cond=iris["target"]).generate(100).dataframe()
    for name in ("cond", "__cond__"):
        assert drawn[name].between(frame[name].min(), frame[name].max()).all()
        assert drawn[name].nunique() > 5


def test_arguments_without_effect_are_refused(fitted, iris):
    for unknown in ({"condd": iris["target"]}, {"categorical_columns": ["target"]}, {"max_time": 1}):
        with pytest.raises(TypeError, match=next(iter(unknown))):
            by_class(n_iter=1).fit(iris, **unknown)
    with pytest.raises(TypeError, match="conditions"):
        fitted.generate(3, conditions={"target": 1})
    with pytest.raises(TypeError, match="positional"):
        by_class(n_iter=1).fit(iris, iris["target"])
    with pytest.raises(TypeError, match="ndarray"):
        by_class(n_iter=1).fit(iris.to_numpy())


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"n_iter": 0}, "n_iter must be a whole number, at least 1 or None"),
        ({"temperature": 0.0}, "temperature must be positive"),
        ({"width": 33}, "33"),
        ({"lr": -1.0}, "lr"),
    ],
    ids=str,
)
def test_impossible_settings_are_refused_before_fitting(setting, told):
    with pytest.raises(ValueError, match=told):
        by_api(**setting)


def test_a_failed_fit_leaves_no_fitted_plugin(iris):
    plugin = by_class(n_iter=1).fit(iris)
    with pytest.raises(ValueError):  # noqa: PT011 - the host's own
        plugin.fit(iris.assign(target=np.nan))
    assert not plugin.fitted
    with pytest.raises(RuntimeError, match="Fit"):
        plugin.generate(5)


def test_rules_as_a_mapping_and_on_columns_that_there_are_not(fitted):
    drawn = fitted.generate(20, constraints={"rules": [("target", "==", 1)]}).dataframe()
    assert (drawn["target"] == 1).all()
    with pytest.raises(ValueError, match="no column 'zz'"):
        fitted.generate(5, constraints=Constraints(rules=[("zz", "dtype", "int")]))


def test_categories_without_an_order_are_compared_by_their_values(iris):
    frame = iris.assign(target=iris["target"].astype("category"))
    plugin = by_class(n_iter=5).fit(frame)
    rules = Constraints(rules=[("target", ">=", 1)])
    assert set(plugin.generate(40, constraints=rules).dataframe()["target"]) == {1, 2}


def test_temperature_flattens(fitted, iris):
    spread = [
        fitted.generate(1500, temperature=tau, random_state=0).dataframe()[list(iris.columns[:4])]
        for tau in (1.0, 8.0)
    ]
    assert spread[1].corr().abs().mean().mean() < spread[0].corr().abs().mean().mean()


def mixed(n=240):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "number": rng.normal(size=n).round(3),
            "whole": rng.integers(0, 500, n),
            "text": rng.choice(["x", "y", "z"], n),
            "label": pd.Categorical(rng.choice(["lo", "hi"], n), ["lo", "mid", "hi"], ordered=True),
            "truth": rng.random(n) < 0.5,
            "time": pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 10**15, n), unit="ns"),
            "small": rng.integers(0, 3, n).astype("int8"),
        }
    )


def test_raw_types_come_back():
    frame = mixed()
    drawn = by_class(n_iter=3).fit(GenericDataLoader(frame)).generate(100).dataframe()
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    assert drawn["time"].between(frame["time"].min(), frame["time"].max()).all()
    assert set(drawn["label"].cat.categories) == {"lo", "mid", "hi"}
    assert not (drawn["label"] == "mid").any()


def test_constraints_on_every_type_of_column():
    frame = mixed()
    plugin = by_class(n_iter=3).fit(GenericDataLoader(frame))
    day = pd.Timestamp("2021-01-05")
    rules = [("text", "==", "x"), ("truth", "==", True), ("time", ">", day), ("label", "in", ["hi"])]
    drawn = plugin.generate(
        60, constraints=Constraints(rules=[*rules, ("whole", "in", list(range(99)))])
    )
    drawn = drawn.dataframe()
    assert len(drawn) == 60
    assert drawn["truth"].all()
    assert (drawn["text"] == "x").all()
    assert (drawn["time"] > day).all()
    assert (drawn["whole"] < 99).all()


def test_missing_cells_of_every_kind_go_through():
    rng = np.random.default_rng(1)
    frame = mixed().astype({"whole": "float64", "truth": object, "small": "float64"})
    frame = frame.mask(rng.random(frame.shape) < 0.2)
    plugin = by_class(n_iter=30).fit(GenericDataLoader(frame))
    drawn = load(save(plugin)).generate(2000, random_state=0).dataframe()
    rates = drawn.isna().mean()
    assert rates.to_numpy() == pytest.approx(frame.isna().mean().to_numpy(), abs=0.06)
    rule = Constraints(rules=[("number", ">", 0.0)])
    assert (plugin.generate(50, constraints=rule).dataframe()["number"] > 0).all()


def test_loaders_keep_their_roles(iris):
    loader = GenericDataLoader(
        iris.assign(group=1),
        target_column="petal width (cm)",
        sensitive_features=["group"],
        important_features=["target"],
        fairness_column="group",
        domain_column="group",
    )
    drawn = by_class(n_iter=2).fit(loader).generate(30)
    ours, theirs = drawn.info(), loader.info()
    assert {k: v for k, v in ours.items() if k != "len"} == {
        k: v for k, v in theirs.items() if k != "len"
    }


def test_survival_data(iris):
    rng = np.random.default_rng(0)
    frame = iris.assign(event=rng.integers(0, 2, 150), duration=rng.exponential(5, 150).round(2))
    loader = SurvivalAnalysisDataLoader(
        frame, target_column="event", time_to_event_column="duration", time_horizons=[2, 5]
    )
    drawn = by_class(n_iter=3).fit(loader).generate(40)
    assert isinstance(drawn, SurvivalAnalysisDataLoader)
    assert drawn.dataframe()["event"].isin([0, 1]).all()
    assert len(drawn) == 40


def test_the_callers_frame_is_not_modified(iris):
    frame = iris.rename(columns={"target": 4})
    before = frame.copy(deep=True)
    by_class(n_iter=2).fit(frame).generate(3)
    pd.testing.assert_frame_equal(frame, before)


def restored(plugin, way, path):
    if way == "save":
        return Plugin.load(plugin.save())
    if way == "file":
        save_to_file(path, plugin)
        return load_from_file(path)
    return cloudpickle.load(io.BytesIO(cloudpickle.dumps(plugin)))


@pytest.mark.parametrize("way", ["save", "file", "cloudpickle"])
def test_a_restored_plugin_is_the_plugin(fitted, way, tmp_path):
    again = restored(fitted, way, tmp_path / "plugin.pkl")
    assert set(again.__dict__) == set(fitted.__dict__)
    pd.testing.assert_frame_equal(
        again.generate(40, random_state=3).dataframe(), fitted.generate(40, random_state=3).dataframe()
    )


@pytest.mark.parametrize("way", ["save", "file", "cloudpickle"])
def test_weights_are_saved_on_the_cpu(iris, way, tmp_path):
    plugin = by_class(n_iter=1).fit(iris)
    move_away(plugin.density)
    assert restored(plugin, way, tmp_path / "plugin.pkl").density.network_.places[:2] == [
        "cuda:5",
        "cpu",
    ]


def test_a_saved_plugin_generates_in_another_process(fitted, tmp_path):
    save_to_file(tmp_path / "plugin.pkl", fitted)
    code = (
        "from synthcity.utils.serialization import load_from_file; import sys;"
        "load_from_file(sys.argv[1]).generate(20, random_state=5).dataframe().to_parquet(sys.argv[2])"
    )
    target = tmp_path / "rows.parquet"
    command = [sys.executable, "-c", code, str(tmp_path / "plugin.pkl"), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    wanted = fitted.generate(20, random_state=5).dataframe()
    pd.testing.assert_frame_equal(pd.read_parquet(target), wanted)


@pytest.mark.parametrize("count", [(), (3,)])
def test_generating_before_fitting_is_refused(count):
    with pytest.raises(RuntimeError, match="Fit"):
        by_class().generate(*count)


def test_plots_are_drawn(fitted, iris):
    import matplotlib.pyplot as plt

    before = len(plt.get_fignums())
    fitted.plot(plt, GenericDataLoader(iris), plots=["marginal"])
    assert len(plt.get_fignums()) > before
    plt.close("all")


def test_the_demo_goes_through_the_plugin(tmp_path):
    done = CliRunner().invoke(app, ["demo", "--out", str(tmp_path), "--epochs", "2"])
    assert done.exit_code == 0
    assert 'Plugins().get("macode")' in done.stdout
    assert len(pd.read_csv(tmp_path / "synthetic.csv")) == 455


@pytest.mark.slow
def test_a_classifier_learns_from_synthetic_iris(iris):
    loader = GenericDataLoader(iris, target_column="target")
    scores = []
    for seed in range(3):
        drawn = Plugins().get("macode", random_state=seed).fit(loader).generate(150, random_state=seed)
        scores.append(PerformanceEvaluatorXGB(use_cache=False).evaluate(loader, drawn)["syn_id"])
    assert np.mean(scores) > 0.85
