"""SDV's constraints: every class, alone, together, and with known values."""

import copy
import functools
import itertools
import json

import numpy as np
import pandas as pd
import pytest
from both_lines import TWO, fit, from_conditions, load, make, remaining, sample
from sdv.cag import (
    FixedCombinations,
    FixedIncrements,
    Inequality,
    OneHotEncoding,
    Range,
    SingleTableProgrammableConstraint,
)
from sdv.cag._errors import ConstraintNotMetError
from sdv.sampling import Condition

COLUMNS = {
    "country": "categorical",
    "city": "categorical",
    "low": "numerical",
    "high": "numerical",
    "begin": "datetime",
    "middle": "datetime",
    "end": "datetime",
    "price": "numerical",
    "red": "numerical",
    "blue": "numerical",
    "free": "categorical",
    "early": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
    "late": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
}
CITIES = {"FR": ["Paris", "Lyon"], "IT": ["Rome", "Milan"], "XX": [None]}


def trips(n=300, seed=0):
    rng = np.random.default_rng(seed)
    country = rng.choice(list(CITIES), n, p=[0.5, 0.4, 0.1])
    begin = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 300, n), unit="D")
    middle = begin + pd.to_timedelta(rng.integers(1, 20, n), unit="D")
    low = rng.integers(0, 100, n)
    red = rng.integers(0, 2, n)
    return pd.DataFrame(
        {
            "country": country,
            "city": [rng.choice(CITIES[c]) for c in country],
            "low": low,
            "high": low + rng.integers(0, 50, n),
            "begin": begin,
            "middle": middle,
            "end": middle + pd.to_timedelta(rng.integers(1, 20, n), unit="D"),
            "price": rng.integers(1, 20, n) * 5,
            "red": red,
            "blue": 1 - red,
            "free": rng.choice(["x", "y"], n),
            "early": begin.strftime("%Y-%m-%d"),
            "late": middle.strftime("%Y-%m-%d"),
        }
    )


class Doubled(SingleTableProgrammableConstraint):
    """``price`` is at most 50; the model learns half of it."""

    def get_updated_metadata(self, metadata):
        return metadata

    def transform(self, data):
        return data.assign(price=data["price"] / 2)

    def reverse_transform(self, transformed_data):
        return transformed_data.assign(price=(transformed_data["price"] * 2).round())

    def is_valid(self, synthetic_data):
        return synthetic_data["price"] <= 95


def in_order(*names, strict=False):
    def check(rows):
        pairs = list(itertools.pairwise(names))
        return all(((rows[a] < rows[b]) if strict else (rows[a] <= rows[b])).all() for a, b in pairs)

    return check


def known_cities(rows):
    pairs = rows[["country", "city"]].astype(object).where(rows[["country", "city"]].notna(), None)
    return all(city in CITIES[country] for country, city in pairs.itertuples(index=False))


ALL = {
    "FixedCombinations": (FixedCombinations(["country", "city"]), known_cities),
    "Inequality": (Inequality("low", "high"), in_order("low", "high")),
    "Inequality of written dates": (
        Inequality("early", "late", strict_boundaries=True),
        in_order("early", "late", strict=True),
    ),
    "Range": (Range("begin", "middle", "end"), in_order("begin", "middle", "end", strict=True)),
    "FixedIncrements": (FixedIncrements("price", 5), lambda rows: (rows["price"] % 5 == 0).all()),
    "OneHotEncoding": (
        OneHotEncoding(["red", "blue"]),
        lambda rows: (rows["red"] + rows["blue"] == 1).all(),
    ),
    "OneHotEncoding as categories": (
        OneHotEncoding(["red", "blue"], learning_strategy="categorical"),
        lambda rows: (rows["red"] + rows["blue"] == 1).all(),
    ),
    "programmable": (Doubled(), lambda rows: (rows["price"] <= 95).all()),
}
ONE_OF_EACH = ["FixedCombinations", "Inequality", "Range", "FixedIncrements", "OneHotEncoding"]


@functools.cache
def constrained(*names):
    """Return a fitted synthesizer. Do not change it: tests share it."""
    # Copies: SDV keeps the objects themselves, and fits them.
    constraints = [copy.deepcopy(ALL[name][0]) for name in names]
    return fit(make(COLUMNS, constraints=constraints, epochs=2), trips())


@pytest.fixture(scope="module")
def together():
    """A synthesizer with one constraint of each class. Do not change it: it is shared."""
    return constrained(*ONE_OF_EACH)


@pytest.mark.parametrize("name", ALL)
def test_a_constraint_alone(name):
    synthesizer = constrained(name)
    frame, drawn = trips(), sample(synthesizer, 120)
    assert len(drawn) == 120
    assert ALL[name][1](drawn)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    assert list(drawn.columns) == list(frame.columns)
    synthesizer.validate_constraints(drawn)


def test_constraints_together(together):
    drawn = sample(together, 120)
    assert len(drawn) == 120
    assert all(ALL[name][1](drawn) for name in ONE_OF_EACH)


def test_constraints_leave_no_transformer_that_fills_gaps(together):
    from rdt.transformers import FloatFormatter, UnixTimestampEncoder

    kinds = (FloatFormatter, UnixTimestampEncoder)
    assert not [t for t in together.get_transformers().values() if isinstance(t, kinds)]


def test_gaps_under_a_constraint():
    rng = np.random.default_rng(0)
    frame = trips()[["low", "high", "free"]].astype({"low": float, "high": float})
    frame.loc[rng.random(len(frame)) < 0.3, "high"] = np.nan
    columns = {name: COLUMNS[name] for name in frame.columns}
    drawn = sample(fit(make(columns, constraints=[Inequality("low", "high")], epochs=20), frame), 1000)
    assert drawn["high"].isna().mean() == pytest.approx(0.3, abs=0.08)
    assert (drawn["high"].isna() | (drawn["low"] <= drawn["high"])).all()


KNOWN = {
    "FixedCombinations": ["country"],
    "Inequality": ["low"],
    "Inequality of written dates": ["early"],
    "Range": ["begin"],
    "FixedIncrements": ["price"],
    "OneHotEncoding": ["blue"],
    "OneHotEncoding as categories": ["blue"],
    "programmable": ["price"],
}


@pytest.mark.parametrize("name", ALL)
def test_known_values_of_a_constrained_column(name):
    known = trips(25, seed=1)[KNOWN[name]]
    drawn = remaining(constrained(name), known)
    pd.testing.assert_frame_equal(drawn[known.columns], known)
    assert ALL[name][1](drawn)


WHOLE = {
    "FixedCombinations": ["country", "city"],
    "Inequality": ["low", "high"],
    "Inequality of written dates": ["early", "late"],
    "Range": ["begin", "middle", "end"],
    "OneHotEncoding": ["red", "blue"],
}


@pytest.mark.parametrize("name", WHOLE)
def test_all_columns_of_a_constraint_known(name):
    known = trips().sample(25, random_state=1)[WHOLE[name]]
    drawn = remaining(constrained(name), known)
    pd.testing.assert_frame_equal(drawn[known.columns], known)


def test_the_high_end_alone(together):
    known = pd.DataFrame({"high": [30, 60, 90]})
    drawn = remaining(together, known)
    assert drawn["high"].tolist() == [30, 60, 90]
    assert all(ALL[name][1](drawn) for name in ONE_OF_EACH)


def test_a_known_value_is_not_put_where_it_breaks_the_constraint():
    rng = np.random.default_rng(0)
    low = rng.integers(0, 101, 400)
    frame = pd.DataFrame({"low": low, "high": low + rng.integers(0, 2, 400)})
    columns = {name: COLUMNS[name] for name in frame.columns}
    synthesizer = fit(make(columns, constraints=[Inequality("low", "high")]), frame)
    drawn = remaining(synthesizer, pd.DataFrame({"high": [50] * 100}))
    assert (drawn["high"] == 50).all()
    assert len(drawn) == 100
    assert (drawn["low"] <= drawn["high"]).all()


class Remembering(Doubled):
    """Remembers how many rows it saw last."""

    def transform(self, data):
        self.rows = len(data)
        return super().transform(data)


def test_asking_leaves_the_constraints_as_they_were():
    synthesizer = fit(make(COLUMNS, constraints=[Remembering()], epochs=1), trips())
    remaining(synthesizer, pd.DataFrame({"price": [5, 10], "free": ["x", "y"]}), max_tries_per_batch=20)
    assert synthesizer.get_constraints()[0].rows == 300


def test_known_values_under_constraints_together(together):
    known = trips(40, seed=3)[["country", "low", "price", "free"]]
    drawn = remaining(together, known, batch_size=15)
    pd.testing.assert_frame_equal(drawn[known.columns], known)
    assert all(ALL[name][1](drawn) for name in ONE_OF_EACH)


def test_conditions_under_constraints(together):
    drawn = from_conditions(together, [Condition({"country": "IT", "free": "y"}, num_rows=12)])
    assert (drawn[["country", "free"]] == ["IT", "y"]).all(axis=None)
    assert drawn["city"].isin(CITIES["IT"]).all()


@pytest.mark.parametrize(
    "values",
    [{"low": 50, "high": 20}, {"country": "FR", "city": "Rome"}, {"red": 1, "blue": 1}, {"price": 7}],
)
def test_conditions_that_break_a_constraint_are_refused(together, values):
    with pytest.raises(ConstraintNotMetError):
        from_conditions(together, [Condition(values, num_rows=2)])


def test_an_unknown_category_under_constraints_is_named(together):
    with pytest.raises(ValueError, match="purple"):
        from_conditions(together, [Condition({"free": "purple"})])


def test_rows_that_cannot_be_had_are_missing_from_the_sample(together):
    known = pd.DataFrame({"country": ["FR", "nowhere", "IT"]}, index=[7, 8, 9])
    with pytest.warns(UserWarning, match="Only able to sample 2 rows"):
        drawn = remaining(together, known, max_tries_per_batch=3)
    assert drawn.index.tolist() == [7, 9]
    with pytest.raises(ValueError, match="Unable to sample any rows"):
        remaining(together, known.iloc[[1]], max_tries_per_batch=2)


def test_constraints_after_fitting_are_for_the_next_fit():
    synthesizer = make({name: COLUMNS[name] for name in ("low", "high")})
    fit(synthesizer, trips()[["low", "high"]])
    synthesizer.add_constraints([Inequality("low", "high")])
    fit(synthesizer, trips()[["low", "high"]])
    assert ALL["Inequality"][1](sample(synthesizer, 60))


def test_a_table_that_breaks_a_constraint_is_refused():
    frame = trips().assign(high=-1)
    with pytest.raises(ConstraintNotMetError):
        fit(make(COLUMNS, constraints=[Inequality("low", "high")]), frame)


def test_constraints_survive_saving(together, tmp_path):
    together.save(tmp_path / "s.pkl")
    again = load(tmp_path / "s.pkl")
    assert all(ALL[name][1](sample(again, 50)) for name in ONE_OF_EACH)


@pytest.mark.skipif(not hasattr(Inequality, "get_constraint_dict"), reason="not in this SDV")
def test_constraints_survive_json(together):
    again = copy.deepcopy(together)
    listed = [constraint.get_constraint_dict() for constraint in again.get_constraints()]
    restored = [
        type(constraint).load_constraint_from_dict(json.loads(json.dumps(description))["parameters"])
        for constraint, description in zip(again.get_constraints(), listed)
    ]
    fresh = fit(make(COLUMNS, constraints=restored, epochs=1), trips())
    assert all(ALL[name][1](sample(fresh, 30)) for name in ONE_OF_EACH)


@pytest.mark.skipif(not TWO, reason="written to a file in SDV 2 only")
def test_constraints_are_written_to_a_file(together, tmp_path):
    from sdv.utils import load_constraints

    together.get_constraints(tmp_path / "c.json")
    restored = load_constraints(tmp_path / "c.json")
    listed = [[c.get_constraint_dict() for c in cs] for cs in (restored, together.get_constraints())]
    assert listed[0] == listed[1]
    assert not any(type(c).__module__.startswith("macode_plugin") for c in restored)


def test_modified_metadata_tells_what_is_modelled(together):
    original = together.get_metadata("original").to_dict()["tables"]["table"]["columns"]
    modified = together.get_metadata("modified").to_dict()["tables"]["table"]["columns"]
    assert set(original) == set(COLUMNS)
    assert "country" not in modified
    assert set(together._model.readers) == set(modified)
