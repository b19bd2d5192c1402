"""Membership inference: copies are found, fresh rows are a guess."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from benchmarks import distance, membership
from benchmarks.comparison import Comparison

needs_host = pytest.mark.skipif(not membership.synthcity_version(), reason="synthcity is not installed")


def rows(n, seed):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(n, 2)) * [1, 50], columns=["a", "b"])
    return frame.assign(kind=rng.integers(1, 4, n))


def compare(train, test, synthetic, continuous=("a", "b")):
    categorical = [column for column in train if column not in continuous]
    return Comparison(train, test, synthetic, list(continuous), categorical, "kind")


def test_copies_of_the_training_rows_betray_all_of_them():
    train, test = rows(800, 1), rows(200, 2)
    found = membership.nearest_neighbour_attack(compare(train, test, train[::-1]))
    assert found == {"membership_auc": 1, "membership_tpr": 1}


def test_fresh_rows_betray_nothing():
    train, test, fresh = rows(8000, 1), rows(2000, 2), rows(8000, 3)
    found = membership.nearest_neighbour_attack(compare(train, test, fresh))
    # Standard errors .009 and .003.
    assert found["membership_auc"] == pytest.approx(0.5, abs=0.03)
    assert found["membership_tpr"] == pytest.approx(0.01, abs=0.01)


def test_rows_near_to_training_rows_are_found_by_a_category_too():
    categories = pd.DataFrame({"kind": range(1, 101)})
    train, test = categories[:50], categories[50:]
    found = membership.nearest_neighbour_attack(compare(train, test, train, continuous=()))
    assert found == {"membership_auc": 1, "membership_tpr": 1}


def test_swapping_members_and_others_mirrors_the_area():
    rng = np.random.default_rng(0)
    for ties in (False, True):
        members, others = (
            rng.normal(mean, size=n).round(0 if ties else 9) for mean, n in ((0.5, 70), (0, 90))
        )
        there = membership.attack_rates(members, others)["membership_auc"]
        back = membership.attack_rates(others, members)["membership_auc"]
        assert there > 0.5
        assert there + back == pytest.approx(1)


def test_swapping_the_tables_mirrors_the_attack():
    train, test, synthetic = (rows(150, seed)[["kind"]].assign(other=seed) for seed in (1, 2, 1))
    there = compare(train, test, synthetic, continuous=())
    back = dataclasses.replace(there, train=test, test=train)
    aucs = [membership.nearest_neighbour_attack(c)["membership_auc"] for c in (there, back)]
    assert aucs[0] > 0.5
    assert sum(aucs) == pytest.approx(1)


def test_rates_by_hand():
    # Of nine pairs the member scores higher in 3 + 2 + 2; above all others is one member of three.
    found = membership.attack_rates(np.array([3.0, 2, 1]), np.array([2.5, 0, -1]))
    assert found == {"membership_auc": pytest.approx(7 / 9), "membership_tpr": pytest.approx(1 / 3)}
    equal = membership.attack_rates(np.zeros(5), np.zeros(7))
    assert equal == {"membership_auc": 0.5, "membership_tpr": 0}


def test_one_in_a_hundred_others_may_be_taken_for_a_member():
    others = np.arange(200.0)
    members = np.array([198.5, 197.5, 196.5, 0.5])  # above all but 1, 2, 3 and 199 others
    assert membership.attack_rates(members, others)["membership_tpr"] == 0.5
    assert membership.attack_rates(members, others[-99:])["membership_tpr"] == 0
    # Where both are alike, the curve is a line: its point at 1 % counts, not only its ends.
    assert membership.attack_rates(others, others)["membership_tpr"] == pytest.approx(0.01)


def test_a_standard_deviation_is_as_far_as_another_category():
    train = pd.DataFrame({"a": [-2.0, 2], "b": [0.0, 0], "kind": [1, 2]})  # standard deviation 2
    away = pd.DataFrame({"a": [-2.0, 0, 0], "b": 0.0, "kind": [3, 1, 3]})
    points = distance.coordinates(compare(train, train, away))
    distances = distance.nearest_distance(points["train"][:1], points["synthetic"])
    np.testing.assert_allclose(distances, [1, 1, np.sqrt(2)])
    assert distance.nearest_distance(points["train"], points["test"]).tolist() == [0, 0]


def test_the_tables_are_not_modified():
    comparison = compare(rows(50, 1), rows(50, 2), rows(50, 3))
    before = comparison.train.copy()
    membership.nearest_neighbour_attack(comparison)
    pd.testing.assert_frame_equal(comparison.train, before)


def test_without_the_host_its_attack_is_not_a_number(monkeypatch):
    monkeypatch.setattr(membership, "synthcity_version", lambda: "")
    found = membership.domias(compare(rows(50, 1), rows(50, 2), rows(50, 3)))
    assert list(found) == ["domias_prior_auc", "domias_kde_auc"]
    assert np.isnan(list(found.values())).all()


@needs_host
def test_the_hosts_attack_finds_copies_and_guesses_on_fresh_rows():
    train, test, fresh = rows(300, 1), rows(300, 2), rows(300, 3)
    guessed = membership.domias(compare(train, test, fresh))
    copied = membership.domias(compare(train[:150], test, pd.concat([train[:150]] * 2)))
    for name, auc in guessed.items():
        assert auc == pytest.approx(0.5, abs=0.12)  # standard error .033, 150 rows of either kind
        assert copied[name] > auc


@needs_host
def test_units_do_not_matter_to_the_hosts_attack():
    frames = [rows(200, seed) for seed in (1, 2, 1)]
    there = membership.domias(compare(*frames))
    # Densities in these units are far below what the host adds to them.
    tiny = membership.domias(
        compare(*(frame.assign(a=frame["a"] * 1e9, b=frame["b"] * 1e9) for frame in frames))
    )
    assert there["domias_prior_auc"] != pytest.approx(there["domias_kde_auc"], abs=1e-6)
    assert tiny == pytest.approx(there)


@needs_host
@pytest.mark.parametrize(("n", "constant"), [(100, {"kind": 1}), (6, {})], ids=["constant", "few"])
def test_the_hosts_attack_needs_a_density(n, constant):
    train, test, fresh = (rows(n, seed).assign(**constant) for seed in (1, 2, 3))
    assert np.isnan(list(membership.domias(compare(train, test, fresh)).values())).all()
