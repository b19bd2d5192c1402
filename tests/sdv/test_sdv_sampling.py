"""Sampling without conditions: rows like the table's, keys, seeds, batches and temperature."""

import numpy as np
import pandas as pd
import pytest
from both_lines import COLUMNS, fit, make, sample, written_to
from sdv.errors import SamplingError


def test_a_sample_is_like_the_table(fitted, table):
    drawn = sample(fitted, 200)
    assert list(drawn.columns) == list(table.columns)
    pd.testing.assert_series_equal(drawn.dtypes, table.dtypes)
    assert len(drawn) == 200
    for name in ("kind", "grade", "truth"):
        assert set(drawn[name].dropna()) <= set(table[name].dropna())
    for name in ("size", "count", "day"):
        assert drawn[name].dropna().between(table[name].min(), table[name].max()).all()
    assert pd.to_datetime(drawn["written"].dropna(), format="%d/%m/%Y").notna().all()
    assert (drawn["day"].dropna() == drawn["day"].dropna().dt.normalize()).all()


def test_keys_and_personal_data_are_made_up(fitted, table):
    drawn = sample(fitted, 200)
    assert drawn["key"].is_unique
    for name in ("key", "label", "email"):
        assert drawn[name].notna().all()
    for name in ("key", "email"):
        assert not set(drawn[name]) & set(table[name])
    assert drawn["label"].str.fullmatch("L-[0-9]{5}").all()
    assert not {"key", "label", "email"} & set(fitted._model.readers)


def test_fitting_is_seeded_and_the_first_sample_after_it(table):
    drawn = [sample(fit(make(COLUMNS, primary_key="key"), table), 30) for _ in range(2)]
    pd.testing.assert_frame_equal(*drawn)


def test_samples_differ_until_sampling_is_reset(table):
    synthesizer = fit(make(COLUMNS, primary_key="key"), table)
    first, second = sample(synthesizer, 30), sample(synthesizer, 30)
    assert not first.equals(second)
    assert not set(first["key"]) & set(second["key"])
    synthesizer.reset_sampling()
    pd.testing.assert_frame_equal(sample(synthesizer, 30), first)


def test_no_global_generator_is_used(table, random_states):
    # By what is modelled; SDV itself draws from them for keys, personal data and the format of dates.
    frame = table[["size", "count", "kind", "truth"]]
    synthesizer = make({name: COLUMNS[name] for name in frame.columns})
    before = random_states()
    fit(synthesizer, frame)
    synthesizer.sample(10)
    synthesizer.sample_remaining_columns(frame[["kind"]].head(5))
    assert random_states() == before


def test_sampling_before_fitting_is_refused():
    with pytest.raises(SamplingError, match="not been fitted"):
        make({"a": "numerical"}).sample(3)


def test_the_number_of_rows_is_needed(fitted):
    with pytest.raises((ValueError, TypeError)):
        fitted.sample(None)


def test_batches_add_up_and_are_written_to_a_file(fitted, tmp_path):
    where, file = written_to(tmp_path)
    drawn = sample(fitted, 25, batch_size=10, **where)
    assert len(drawn) == 25
    assert len(pd.read_csv(file)) >= 25


def test_temperature_at_construction_and_in_a_call():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"rare": rng.choice(["x", "y"], 600, p=[0.95, 0.05])})
    plain = fit(make({"rare": "categorical"}), frame)
    flat = fit(make({"rare": "categorical"}, temperature=5.0), frame)

    def share(drawn):
        return (drawn["rare"] == "y").mean()

    assert share(sample(plain, 2000)) < 0.15
    assert share(sample(flat, 2000)) > 0.25
    assert share(sample(plain, 2000, temperature=5.0)) > 0.25
    assert share(sample(flat, 2000, temperature=1.0)) < 0.15
    assert share(sample(flat, 2000)) > 0.25
    with pytest.raises(ValueError, match="temperature must be positive"):
        plain.sample(3, temperature=0)
