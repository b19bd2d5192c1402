"""The imputer among scikit-learn's tools."""

from __future__ import annotations

import joblib
import numpy as np
import pandas as pd
import pytest
from devices import move_away
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.estimator_checks import estimator_checks_generator
from tables import joint_table

from macode_plugin import MaCoDE, MaCoDEImputer

QUICK = {"width": 16, "n_heads": 2, "n_layers": 1, "feed_forward": 16, "device": "cpu", "lr": 1e-2}


def imputer(epochs=2, n_bins=5, **options):
    model = MaCoDE(**QUICK, n_bins=n_bins, epochs=epochs, patience=None, verbose=False)
    return MaCoDEImputer(model, **{"random_state": 0, **options})


def iris_with_gaps(rate=0.3):
    frame = load_iris(as_frame=True).data
    return frame.mask(np.random.default_rng(0).random(frame.shape) < rate)


# Left out: the array API, for arrays of other libraries, which no pandas-based imputer takes.
CHECKS = [
    check
    for _, check in estimator_checks_generator(imputer())
    if check.func.__name__ != "check_array_api_input"
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.func.__name__)
def test_scikit_learns_own_checks(check):
    """The asserts are scikit-learn's: each check raises where the imputer breaks a rule."""
    check(imputer())


def test_arrays_in_arrays_out():
    X = iris_with_gaps().to_numpy()
    filled = imputer().fit_transform(X)
    assert isinstance(filled, np.ndarray)
    assert filled.dtype == X.dtype
    seen = ~np.isnan(X)
    np.testing.assert_array_equal(filled[seen], X[seen])
    assert not np.isnan(filled).any()


def test_weights_are_dumped_on_the_cpu(tmp_path):
    fitted = imputer().fit(iris_with_gaps())
    move_away(fitted.model_)
    joblib.dump(fitted, tmp_path / "imputer.joblib")
    places = joblib.load(tmp_path / "imputer.joblib").model_.network_.places
    assert places[:2] == ["cuda:5", "cpu"]


def test_frames_in_frames_out():
    frame = joint_table(80).assign(x=np.arange(80.0)).set_index(np.arange(80) * 2)
    frame = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.3)
    fitted = imputer().fit(frame)
    filled = fitted.transform(frame)
    assert filled.index.equals(frame.index)
    assert not filled.isna().any().any()
    assert fitted.get_feature_names_out().tolist() == ["a", "b", "c", "x"]


@pytest.mark.filterwarnings("ignore:X (has|does not have) .*feature names:UserWarning")
def test_frames_and_arrays_may_take_turns():
    frame = iris_with_gaps()
    expected = imputer().fit(frame).transform(frame)
    from_array = imputer().fit(frame).transform(frame.to_numpy())
    np.testing.assert_array_equal(from_array, expected.to_numpy())
    by_place = imputer().fit(frame.to_numpy()).transform(frame)
    pd.testing.assert_frame_equal(by_place, expected)


def test_output_containers_can_be_set():
    X = iris_with_gaps().to_numpy()
    filled = imputer().set_output(transform="pandas").fit_transform(X)
    assert isinstance(filled, pd.DataFrame)
    assert filled.columns.tolist() == ["x0", "x1", "x2", "x3"]


def test_objects_in_arrays_are_categories():
    X = joint_table(60).to_numpy(dtype=object)
    X[::5, 1] = np.nan
    filled = imputer().fit_transform(X)
    assert set(filled[:, 1]) <= {"b0", "b1", "b2"}


def test_a_seed_gives_the_same_series_of_draws():
    X = iris_with_gaps()
    first, second = imputer().fit(X), imputer(random_state=1).fit(X)
    again = clone(first).fit(X)
    draws = [first.transform(X) for _ in range(3)]
    for once in draws:
        pd.testing.assert_frame_equal(once, again.transform(X))
    assert not draws[0].equals(draws[1])
    assert not draws[0].equals(second.transform(X))


def test_rows_one_by_one_are_drawn_like_rows_together():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "y": rng.normal(size=300)})
    fitted = imputer(epochs=20).fit(X)
    new = X.head(150).assign(y=np.nan)
    together = fitted.transform(new)["y"]
    alone = pd.concat([fitted.transform(new[i : i + 1]) for i in range(150)])["y"]
    assert alone.std() == pytest.approx(together.std(), rel=0.25)
    assert abs(np.corrcoef(alone, together)[0, 1]) < 0.3


def test_numbers_can_be_declared_categories():
    X = pd.DataFrame({"code": np.tile([10.0, 20.0, 40.0], 30), "x": np.arange(90.0)})
    X.loc[::4, "code"] = np.nan
    fitted = imputer(categorical_features=["code"]).fit(X)
    assert fitted.model_.table_["code"].kind == "categorical"
    assert set(fitted.transform(X)["code"]) <= {10.0, 20.0, 40.0}


@pytest.mark.parametrize("chosen", [["b", "x"], [1, 3], (-3, "x"), [False, True, False, True]])
def test_categorical_features_by_label_place_or_mask(chosen):
    frame = joint_table(60).apply(lambda column: column.astype("category").cat.codes)
    frame = frame.assign(x=[1, 2, 3] * 20)
    table = imputer(categorical_features=chosen).fit(frame).model_.table_
    assert [column.kind == "categorical" for column in table.columns] == [False, True, False, True]
    by_place = [1, 3] if "x" in chosen else chosen
    table = imputer(categorical_features=np.array(by_place)).fit(frame.to_numpy()).model_.table_
    assert [column.kind == "categorical" for column in table.columns] == [False, True, False, True]


def test_whole_numbers_that_are_labels_are_taken_for_them():
    frame = pd.DataFrame({1: [1, 2, 3] * 20, 0: [1, 2, 2] * 20})
    table = imputer(categorical_features=[0]).fit(frame).model_.table_
    assert [column.kind for column in table.columns] == ["numeric", "categorical"]


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ([True], "1 booleans, and the table 4 columns"),
        (["y"], "categorical_features has 'y', which is not a column"),
        ("from_dtype", "categorical_features must be a list, however: 'from_dtype'"),
        ([7], "7.*not a col"),
    ],
)
def test_categorical_features_that_there_are_not(chosen, message):
    with pytest.raises(ValueError, match=message):
        imputer(categorical_features=chosen).fit(iris_with_gaps())


def test_a_column_without_values_is_named_with_the_way_out():
    X = np.c_[np.arange(60.0), np.full(60, np.nan)]
    with pytest.raises(ValueError, match=r"column 1 has no value .* drop it$"):
        imputer().fit(X)


def test_another_estimator_is_no_model():
    with pytest.raises(TypeError, match="model must be a MaCoDE or None, however: RandomForest"):
        MaCoDEImputer(RandomForestClassifier()).fit(iris_with_gaps())


def test_a_random_state_object_goes_on_from_call_to_call():
    X = joint_table(60).mask(np.random.default_rng(0).random((60, 3)) < 0.3)

    def twice(seed):
        fitted = imputer(random_state=np.random.RandomState(seed)).fit(X)
        return fitted.transform(X), fitted.transform(X)

    first, second = twice(3)
    assert not first.equals(second)
    for once, again in zip((first, second), twice(3)):
        pd.testing.assert_frame_equal(once, again)


def test_a_category_of_one_fold_alone_does_not_stop_cross_validation():
    X = joint_table(90).assign(size=np.tile([1.0, np.nan, 3.0], 30))
    X.loc[0, "a"] = "seen once"
    model = make_pipeline(imputer(), OneHotEncoder(handle_unknown="ignore"), LogisticRegression())
    with pytest.warns(UserWarning, match="'a' holds values that training did not show.*'seen once'"):
        scores = cross_val_score(model, X, np.tile([0, 1], 45), cv=3, error_score="raise")
    assert np.isfinite(scores).all()


def test_it_works_in_a_searched_pipeline():
    X, y = iris_with_gaps(), load_iris().target
    pipeline = make_pipeline(imputer(epochs=30), RandomForestClassifier(30, random_state=0))
    search = GridSearchCV(pipeline, {"macodeimputer__model__n_bins": [4, 8]}, cv=2).fit(X, y)
    assert search.best_params_["macodeimputer__model__n_bins"] in (4, 8)
    assert search.best_score_ > 0.75


def test_it_knows_more_than_the_mean():
    whole = load_iris(as_frame=True).data
    gone = whole.assign(**{"petal width (cm)": np.nan})
    gone.loc[::2, "petal width (cm)"] = whole["petal width (cm)"][::2]
    hidden = gone["petal width (cm)"].isna()

    def error(filled):
        return float(np.abs(filled["petal width (cm)"] - whole["petal width (cm)"])[hidden].mean())

    ours = error(MaCoDEImputer(MaCoDE(device="cpu", verbose=False), random_state=0).fit_transform(gone))
    mean = error(SimpleImputer().set_output(transform="pandas").fit_transform(gone))
    assert ours < 0.7 * mean
