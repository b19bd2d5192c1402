"""Each measure against values worked out by hand, and against what must hold of it."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import detection, metrics
from benchmarks.comparison import Comparison

CONTINUOUS = ["mean radius", "mean texture", "mean smoothness", "mean symmetry"]


def compare(train, synthetic, test=None):
    """Compare frames whose float columns are continuous and whose integer columns are codes."""
    train, synthetic = pd.DataFrame(train), pd.DataFrame(synthetic)
    continuous = list(train.select_dtypes("float"))
    categorical = list(train.select_dtypes("int"))
    target = categorical[-1] if categorical else None
    test = train if test is None else pd.DataFrame(test)
    return Comparison(train, test, synthetic, continuous, categorical, target)


@pytest.fixture(scope="module")
def real():
    """Real rows in random order: four numbers and the diagnosis."""
    bunch = load_breast_cancer(as_frame=True)
    return bunch.data[CONTINUOUS].assign(diagnosis=bunch.target + 1).sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def fresh(real):
    """Synthetic rows as good as it gets: real rows that nothing else holds."""
    return compare(real[:200], real[200:400], test=real[400:])


def shifted(comparison, standard_deviations=3):
    """Return the comparison with the synthetic rows' continuous columns moved up."""
    synthetic = comparison.synthetic.copy()
    synthetic[comparison.continuous] += (
        standard_deviations * comparison.train[comparison.continuous].std()
    )
    return dataclasses.replace(comparison, synthetic=synthetic)


def with_copies(comparison):
    """Return the comparison with the training rows themselves as synthetic rows."""
    return dataclasses.replace(comparison, synthetic=comparison.train.copy())


def test_columns_are_standardised_by_the_training_rows():
    # Training values of mean 1 and deviation 1; codes stay as they are.
    comparison = compare({"x": [0.0, 2.0], "k": [1, 2]}, {"x": [1.0, 4.0], "k": [2, 2]})
    scaled = comparison.standardised()
    assert scaled.train.to_numpy().tolist() == [[-1, 1], [1, 2]]
    assert scaled.synthetic.to_numpy().tolist() == [[0, 2], [3, 2]]
    assert comparison.train["x"].tolist() == [0, 2]


def test_kl_of_two_histograms_over_the_training_range():
    # Ten training values spread over ten bins; half of the synthetic ones lie in the first
    # bin and half in the last, and one lies outside of the range and is not counted.
    train = {"x": np.arange(10.0)}
    synthetic = {"x": [0.2, 0.3, 8.8, 8.9, 50.0]}
    expected = 2 * 0.5 * np.log(0.5 / 0.1)
    assert metrics.kl_divergence(compare(train, synthetic)) == pytest.approx(expected, abs=1e-6)


def test_kl_of_a_continuous_column_with_few_values_counts_each_value():
    train = {"x": [0.0, 0.0, 0.1, 5.0]}
    synthetic = {"x": [0.0, 0.1, 0.1, 5.0]}
    expected = 0.25 * np.log(0.25 / 0.5) + 0.5 * np.log(0.5 / 0.25)
    assert metrics.kl_divergence(compare(train, synthetic)) == pytest.approx(expected)


def test_kl_runs_from_synthetic_to_real_and_is_averaged_over_columns():
    train = {"a": [1, 1, 1, 2], "b": [1, 2, 1, 2]}
    synthetic = {"a": [1, 2, 1, 2], "b": [1, 2, 1, 2]}
    of_a = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert metrics.kl_divergence(compare(train, synthetic)) == pytest.approx(of_a / 2)


def test_kl_stays_finite_where_one_side_has_no_rows():
    train = {"x": [0.0, 0.1, 0.2, 0.3, 10.0], "k": [1, 1, 2, 2, 2]}
    synthetic = {"x": [5.0] * 5, "k": [1, 1, 3, 3, 3]}
    assert 5 < metrics.kl_divergence(compare(train, synthetic)) < 20


def test_goodness_of_fit_of_a_number_is_the_largest_gap_between_distributions():
    # Moved by three of ten values, the two step functions are 0.3 apart.
    train, synthetic = {"x": np.arange(10.0)}, {"x": np.arange(10.0) + 3}
    assert metrics.goodness_of_fit(compare(train, synthetic)) == pytest.approx(0.3)


def test_goodness_of_fit_of_a_category_is_chi_squared_over_the_shares():
    train, synthetic = {"k": [1, 1, 1, 2]}, {"k": [1, 1, 2, 2]}
    expected = 0.25**2 / 0.75 + 0.25**2 / 0.25
    assert metrics.goodness_of_fit(compare(train, synthetic)) == pytest.approx(expected)


def test_mmd_of_two_points_follows_from_the_kernel():
    # Standardised, the training values are -1 and 1 and the synthetic ones all lie at 1.
    train, synthetic = {"x": [0.0, 2.0]}, {"x": [2.0, 2.0]}
    apart = np.exp(-4.0)
    expected = (1 + apart) / 2 + 1 - 2 * (1 + apart) / 2
    assert metrics.maximum_mean_discrepancy(compare(train, synthetic)) == pytest.approx(expected)


def test_wasserstein_distance_of_a_shift_is_half_its_square():
    rng = np.random.default_rng(0)
    train = {"x": rng.normal(size=100)}
    same, moved = compare(train, train), shifted(compare(train, train), 1)
    assert metrics.wasserstein_distance(same) == pytest.approx(0, abs=1e-5)
    # geomloss's default cost is half the squared distance.
    assert metrics.wasserstein_distance(moved) == pytest.approx(0.5, rel=0.05)


@pytest.mark.parametrize("distance", [metrics.maximum_mean_discrepancy, metrics.wasserstein_distance])
def test_joint_distances_vanish_for_a_copy_and_grow_with_a_shift(fresh, distance):
    assert distance(with_copies(fresh)) == pytest.approx(0, abs=1e-5)
    assert distance(fresh) < distance(shifted(fresh, 1)) < distance(shifted(fresh, 2))


def test_joint_distances_do_not_depend_on_a_columns_unit(fresh):
    unit = dict.fromkeys(CONTINUOUS[:2], 1000)
    parts = {
        part: getattr(fresh, part).assign(**{k: getattr(fresh, part)[k] * f for k, f in unit.items()})
        for part in ("train", "test", "synthetic")
    }
    rescaled = dataclasses.replace(fresh, **parts)
    for distance in (metrics.maximum_mean_discrepancy, metrics.wasserstein_distance):
        assert distance(rescaled) == pytest.approx(distance(fresh), rel=1e-3)


def test_smape_of_a_forest_that_can_only_predict_one_number():
    # Trained on x = 2 alone, it predicts 2 for the real 1 and 6; likewise y = 1 for 1 and 1.
    synthetic = {"x": [2.0] * 20, "y": [1.0] * 20}
    test = {"x": [1.0, 6.0], "y": [1.0, 1.0]}
    of_x = (1 / 3 + 4 / 8) / 2
    assert metrics.smape(compare(test, synthetic)) == pytest.approx(of_x / 2, rel=1e-4)


def test_smape_is_small_where_columns_determine_each_other():
    values = np.linspace(1, 2, 200)
    related = {"x": values, "y": 3 * values}
    shuffled = {"x": values, "y": 3 * np.random.default_rng(0).permutation(values)}
    assert metrics.smape(compare(related, related)) < 0.01
    assert metrics.smape(compare(related, shuffled)) > 0.1


def test_f1_is_that_of_classifiers_trained_on_the_synthetic_rows(real):
    flipped = real[:300].assign(diagnosis=3 - real["diagnosis"][:300])
    right = metrics.classify(compare(real[:300], real[:300], test=real[300:]))
    wrong = metrics.classify(compare(real[:300], flipped, test=real[300:]))
    assert right.f1() > 0.85
    # Of two classes, a classifier that learned them the wrong way round errs where it was right.
    assert wrong.f1() < 1 - 0.85


def test_selection_is_perfect_for_a_copy_and_reversed_for_reversed_classes(real):
    copy = metrics.classify(compare(real[:300], real[:300], test=real[300:]))
    assert copy.model_selection() == pytest.approx(1)
    assert copy.feature_selection() == pytest.approx(1)
    flipped = real[:300].assign(diagnosis=3 - real["diagnosis"][:300])
    reversed_ = metrics.classify(compare(real[:300], flipped, test=real[300:]))
    assert reversed_.model_selection() < -0.8


def test_measures_of_some_held_out_rows_are_those_of_a_test_table_of_these(real):
    everything = compare(real[:200], real[200:400], test=real[400:])
    rows = np.arange(len(everything.test)) % 3 > 0
    some = dataclasses.replace(everything, test=everything.test[rows])
    classified, alone = metrics.classify(everything), metrics.classify(some)
    assert classified.f1(rows) == pytest.approx(alone.f1())
    assert classified.model_selection(rows) == pytest.approx(alone.model_selection())
    assert classified.f1(rows) != pytest.approx(classified.f1())
    assert metrics.smape_by_row(everything)[rows].mean() == pytest.approx(metrics.smape(some))


def test_measures_of_no_held_out_rows_are_nan(real):
    classified = metrics.classify(compare(real[:200], real[200:400], test=real[400:]))
    none = np.zeros(len(real) - 400, dtype=bool)
    assert np.isnan(classified.f1(none))
    assert np.isnan(classified.model_selection(none))


def test_measures_without_a_value_are_nan(real):
    one_class = compare(real[:100], real[:100].assign(diagnosis=1))
    unlearned = metrics.classify(one_class)
    assert np.isnan([unlearned.f1(), unlearned.model_selection(), unlearned.feature_selection()]).all()
    # With one input there is no order of importances.
    one_input = compare(real[["mean radius", "diagnosis"]], real[["mean radius", "diagnosis"]])
    assert np.isnan(metrics.classify(one_input).feature_selection())
    categories = compare({"k": [1, 2, 1, 2], "l": [1, 1, 2, 2]}, {"k": [1, 2, 1, 2], "l": [1, 1, 2, 2]})
    for measure in (metrics.maximum_mean_discrepancy, metrics.wasserstein_distance, metrics.smape):
        assert np.isnan(measure(categories))
    assert np.isnan(detection.detector_auc(categories))


def test_detector_cannot_tell_real_from_real_but_sees_a_shift(fresh):
    assert detection.detector_auc(fresh) == pytest.approx(0.5, abs=0.1)
    assert detection.detector_auc(shifted(fresh)) > 0.95


def test_detector_gains_nothing_from_rows_that_repeat_the_training_rows(fresh):
    assert detection.detector_auc(with_copies(fresh)) == pytest.approx(0.5, abs=0.1)


def test_nearest_record_share_is_one_for_copies_and_half_for_fresh_rows(real):
    n = 200
    copied = compare(real[:n], real[:n], test=real[n : 2 * n])
    assert detection.nearest_record_share(copied) > 0.99
    fresh = compare(real[:n], real[2 * n :], test=real[n : 2 * n])
    assert detection.nearest_record_share(fresh) == pytest.approx(0.5, abs=0.12)


def test_nearest_record_share_is_half_for_fresh_rows_although_there_are_more_training_rows(real):
    comparison = compare(real[:350], real[450:], test=real[350:450])
    assert detection.nearest_record_share(comparison) == pytest.approx(0.5, abs=0.12)


def test_nearest_record_share_of_copies_of_four_times_as_many_training_rows(real):
    # A quarter of the copies is sure to have its original looked at, the others are as fresh.
    comparison = compare(real[:400], real[:400], test=real[400:500])
    assert detection.nearest_record_share(comparison) == pytest.approx(0.625, abs=0.06)


def test_nearest_record_share_counts_ties_half(real):
    comparison = compare(real[:100], real[:100], test=real[:100])
    assert detection.nearest_record_share(comparison) == 0.5


def test_another_category_weighs_as_much_as_one_standard_deviation():
    # The training column has mean 0 and deviation 1. The synthetic row is one category away
    # from all training rows and 0.9 or 1.1 deviations from all held-out ones.
    train = {"x": [-1.0, 1.0, -1.0, 1.0], "k": [1, 1, 1, 1]}
    for gap, share in ((0.9, 0.0), (1.1, 1.0)):
        test = {"x": [1.0 + gap] * 4, "k": [2] * 4}
        synthetic = {"x": [1.0], "k": [2]}
        assert detection.nearest_record_share(compare(train, synthetic, test=test)) == share
