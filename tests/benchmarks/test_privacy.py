"""The paper's measures of privacy on tables where the answer is known."""

import numpy as np
import pandas as pd
import pytest

from benchmarks import privacy
from benchmarks.comparison import Comparison

COLUMNS = ["a", "b", "c"]


def numbers(n, seed=0, columns=COLUMNS):
    return pd.DataFrame(np.random.default_rng(seed).normal(size=(n, len(columns))), columns=columns)


def compare(train, synthetic, continuous=COLUMNS):
    categorical = [column for column in train if column not in continuous]
    return Comparison(train, train, synthetic, continuous, categorical, "kind")


def test_exact_repeats_are_as_anonymous_as_the_rarest_of_them():
    corners = pd.DataFrame({"a": [0.0, 0, 9, 9], "b": [0.0, 9, 0, 9], "c": 0.0})
    repeated = pd.concat([corners] * 30)
    assert privacy.k_anonymity(compare(numbers(50), repeated)) == pytest.approx(25)
    rarer = pd.concat([repeated, corners.head(1) - 100])
    assert privacy.k_anonymity(compare(numbers(50), rarer)) == pytest.approx(100 / 121)


def test_clusters_are_of_ten_rows_at_least_on_the_mean():
    # Nineteen rows are too few for two clusters; of twenty, two clusters of ten.
    pairs = pd.DataFrame({"a": [0.0, 1] * 10, "b": 0.0, "c": 0.0})
    assert np.isnan(privacy.k_anonymity(compare(numbers(50), pairs[:19])))
    assert privacy.k_anonymity(compare(numbers(50), pairs)) == pytest.approx(50)
    # Fifty rows make five clusters, and not the ten in which a lone row would show.
    five = pd.DataFrame({"a": np.repeat([0.0, 100, 200, 300, 400], 10), "b": 0.0, "c": 0.0})
    five.loc[0, "a"] = 10
    assert privacy.k_anonymity(compare(numbers(50), five)) == pytest.approx(20)


def test_the_training_rows_copied_are_no_distance_away():
    train = numbers(2000)
    assert privacy.distance_to_closest_record(compare(train, train.copy())) == 0
    # Of a sample of either table 15 % are in both, more than the 5 % that count.
    shuffled = train.sample(frac=1, random_state=3)
    assert privacy.distance_to_closest_record(compare(train, shuffled)) == 0


def test_the_distance_is_in_standard_deviations_of_the_training_rows():
    train = pd.DataFrame({"a": np.arange(200.0), "b": 0.0, "c": 0.0})
    moved = train.assign(a=0.0, b=0.25)  # the column b is constant, so its scale stays
    far = train.assign(b=0.25)
    assert privacy.distance_to_closest_record(compare(train, far)) == pytest.approx(0.25)
    doubled = compare(train * 2, far * 2)
    assert privacy.distance_to_closest_record(doubled) == pytest.approx(0.5)
    # To rows that are all at one end the distances are evenly spread over the whole range.
    whole = 199 / train["a"].std(ddof=0)
    found = privacy.distance_to_closest_record(compare(train, moved.assign(b=0.0)))
    assert 0 < found < 0.2 * whole


def test_the_fifth_percentile_is_taken():
    train = pd.DataFrame({"a": np.linspace(0, 1, 20001), "b": 0.0, "c": 0.0})
    found = privacy.distance_to_closest_record(compare(train, train * 0.0))
    assert found * train["a"].std(ddof=0) == pytest.approx(0.05, abs=0.01)


def test_categories_do_not_count_in_distances_and_clusters():
    train = numbers(200).assign(kind=1)
    synthetic = numbers(200, seed=1)
    same, other = (compare(train, synthetic.assign(kind=kind)) for kind in (1, 2))
    for measure in (privacy.k_anonymity, privacy.distance_to_closest_record):
        assert measure(same) == measure(other) > 0


def test_categories_that_the_known_columns_tell_are_disclosed():
    groups = pd.DataFrame({"a": [0.0, 9.0], "b": 0.0, "c": 0.0, "kind": [1, 2]})
    train = pd.concat([groups] * 150, ignore_index=True)
    assert privacy.attribute_disclosure(compare(train, train.copy())) == 1
    swapped = train.assign(kind=3 - train["kind"])
    assert privacy.attribute_disclosure(compare(train, swapped)) == 0
    # Of two columns one is told and one never is.
    both = train.assign(other=1)
    assert privacy.attribute_disclosure(compare(both, both.assign(other=2))) == 0.5


def test_one_ten_and_a_hundred_neighbours_vote():
    zeros = pd.DataFrame(0.0, range(100), COLUMNS).assign(kind=1)
    near, far = zeros[:1].assign(kind=2), zeros[:1].assign(a=9.0)
    # The nearest is wrong; ten and a hundred neighbours are both rows, whose tie is the smaller code.
    assert privacy.attribute_disclosure(compare(zeros, pd.concat([near, far]))) == pytest.approx(2 / 3)
    # Ten neighbours are 1 + 9 rows, the others farther away: right by the ten alone.
    crowd = pd.concat([near, *[far] * 9, *[far.assign(a=99.0, kind=2)] * 90])
    assert privacy.attribute_disclosure(compare(zeros, crowd)) == pytest.approx(1 / 3)


def test_only_the_first_columns_are_known():
    columns = ["a", "b", "c", "d"]
    table = numbers(4000, columns=columns)
    told_last = table.assign(kind=1 + (table["d"] > 0))
    assert privacy.attribute_disclosure(compare(told_last, told_last[::-1], columns)) < 0.8
    told_first = table.assign(kind=1 + (table["a"] > 0))
    assert privacy.attribute_disclosure(compare(told_first, told_first[::-1], columns)) > 0.9


def test_independent_categories_are_a_guess():
    rng = np.random.default_rng(0)
    train, synthetic = (numbers(20000, seed).assign(kind=rng.integers(1, 3, 20000)) for seed in (1, 2))
    found = privacy.attribute_disclosure(compare(train, synthetic))
    assert found == pytest.approx(0.5, abs=0.07)  # two hundred guesses, three times, not independent


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "continuous", "kinds"),
    [(99, COLUMNS, ["kind"]), (200, COLUMNS[:2], ["kind"]), (200, COLUMNS, [])],
    ids=["fewer than a hundred rows", "two continuous columns", "no categories"],
)
def test_what_cannot_be_disclosed_is_not_a_number(rows, continuous, kinds):
    train = numbers(rows)[continuous].assign(**dict.fromkeys(kinds, 1))
    assert np.isnan(privacy.attribute_disclosure(compare(train, train, continuous)))


def test_without_continuous_columns_there_is_no_distance():
    train = pd.DataFrame({"kind": [1, 2] * 50})
    comparison = compare(train, train, [])
    assert np.isnan(privacy.k_anonymity(comparison))
    assert np.isnan(privacy.distance_to_closest_record(comparison))


def test_the_tables_are_not_modified():
    train, synthetic = numbers(200).assign(kind=1), numbers(200, seed=1).assign(kind=1)
    before = train.copy(), synthetic.copy()
    comparison = compare(train, synthetic)
    privacy.k_anonymity(comparison)
    privacy.distance_to_closest_record(comparison)
    privacy.attribute_disclosure(comparison)
    pd.testing.assert_frame_equal(train, before[0])
    pd.testing.assert_frame_equal(synthetic, before[1])
