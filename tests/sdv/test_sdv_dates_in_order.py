"""Dates that SDV's constraints keep in order: they stay on the data's own grid, whatever their unit."""

import numpy as np
import pandas as pd
import pytest
from both_lines import fit, from_conditions, make, pack, remaining, sample
from rdt.transformers import ClusterBasedNormalizer
from sdv.cag import Inequality, Range
from sdv.sampling import Condition

KINDS = ["datetime64[ns]", "datetime64[us]", "datetime64[s]", "%d %b %Y"]
DAY = pd.Timedelta(1, "D")


def stays(kind, step="D", n=400):
    """Rows of three dates in order; whole days in decades, or whole seconds in a day."""
    rng = np.random.default_rng(0)
    step = pd.Timedelta(1, step)
    begin = pd.Timestamp("2001-01-01") + rng.integers(0, 9000, n) * step
    middle = begin + rng.integers(1, 400, n) * step
    end = middle + rng.integers(1, 4000, n) * step
    frame = pd.DataFrame({"begin": begin, "middle": middle, "end": end})
    return frame.apply(lambda dates: written(dates, kind))


def written(dates, kind):
    return dates.dt.strftime(kind) if "%" in kind else dates.astype(kind)


def read(dates, kind):
    return pd.to_datetime(dates, format=kind) if "%" in kind else dates.astype("datetime64[ns]")


def ordered(frame, kind, *constraints):
    sdtype = {"sdtype": "datetime", "datetime_format": kind} if "%" in kind else "datetime"
    return fit(make(dict.fromkeys(frame, sdtype), constraints=constraints, epochs=2), frame)


def check_distances(frame, drawn, kind, low, high):
    real = (read(frame[high], kind) - read(frame[low], kind)) / DAY
    apart = (read(drawn[high], kind) - read(drawn[low], kind)) / DAY
    assert (apart == apart.round()).all()
    assert apart.between(real.min(), real.max()).all()
    assert apart.median() == pytest.approx(real.median(), rel=0.25)


@pytest.mark.parametrize("kind", KINDS)
def test_two_dates(kind):
    frame = stays(kind)
    drawn = sample(ordered(frame, kind, Inequality("begin", "middle", strict_boundaries=True)), 400)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    check_distances(frame, drawn, kind, "begin", "middle")


@pytest.mark.parametrize("unit", ["ns", "us"])
def test_dates_of_a_zone(unit):
    frame = stays(f"datetime64[{unit}]").apply(lambda dates: dates.dt.tz_localize("UTC"))
    drawn = sample(ordered(frame, unit, Inequality("begin", "end")), 200)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    apart, real = ((rows["end"] - rows["begin"]) / DAY for rows in (drawn, frame))
    assert (apart == apart.round()).all()
    assert apart.median() == pytest.approx(real.median(), rel=0.25)


# SDV compares the dates of a range as text, which puts only years before months before days right.
@pytest.mark.parametrize("kind", ["datetime64[ns]", "datetime64[s]", "%Y-%m-%d"])
def test_three_dates(kind):
    frame = stays(kind)
    drawn = sample(ordered(frame, kind, Range("begin", "middle", "end")), 400)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    check_distances(frame, drawn, kind, "begin", "middle")
    check_distances(frame, drawn, kind, "middle", "end")


def test_written_dates_are_not_a_day_short():
    begin = stays("datetime64[ns]")["begin"]
    weeks = np.random.default_rng(3).integers(1, 300, len(begin))
    frame = pd.DataFrame({"begin": begin, "end": begin + 7 * weeks * DAY})
    frame = frame.apply(lambda dates: written(dates, "%d/%m/%Y"))
    drawn = sample(ordered(frame, "%d/%m/%Y", Inequality("begin", "end")), 400)
    begin, end = (read(drawn[name], "%d/%m/%Y") for name in ("begin", "end"))
    cut = end.isin([end.min(), end.max()])  # SDV cuts what is before the first date or after the last
    assert cut.mean() < 0.05
    assert ((end - begin) / DAY % 7 == 0)[~cut].all()


def test_written_dates_are_read_by_their_format():
    begin = pd.Timestamp("2001-01-01") + np.resize(np.arange(12), 400) * DAY
    frame = pd.DataFrame({"begin": begin, "end": begin + np.resize([7, 14, 21], 400) * DAY})
    frame = frame.apply(lambda dates: written(dates, "%d/%m/%Y"))
    synthesizer = ordered(frame, "%d/%m/%Y", Inequality("begin", "end"))
    known = pd.DataFrame({"begin": ["05/01/2001", "11/01/2001"] * 50})
    for drawn in (sample(synthesizer, 200), remaining(synthesizer, known)):
        first, last = (read(drawn[name], "%d/%m/%Y") for name in ("begin", "end"))
        assert first.isin(begin).all()
        assert ((last - first) / DAY).isin([7, 14, 21])[last < last.max()].all()


@pytest.mark.parametrize("step", ["s", "us"])
def test_finer_steps(step):
    frame = stays("datetime64[us]", step)
    drawn = sample(ordered(frame, "datetime64[us]", Inequality("begin", "end")), 200)
    apart = (drawn["end"] - drawn["begin"]) / pd.Timedelta(1, step)
    assert (apart == apart.round()).all()
    assert apart.median() == pytest.approx(2200, rel=0.25)


def test_distances_without_a_step_keep_their_sizes():
    frame = stays("datetime64[ns]")
    frame["end"] += pd.to_timedelta(np.random.default_rng(1).integers(1, 10**13, len(frame)), unit="ns")
    drawn = sample(ordered(frame, "datetime64[ns]", Inequality("begin", "end")), 200)
    real, apart = (frame["end"] - frame["begin"]) / DAY, (drawn["end"] - drawn["begin"]) / DAY
    assert apart.between(real.min(), real.max()).all()
    assert apart.nunique() > 190


@pytest.mark.parametrize("kind", [KINDS[1], KINDS[3]])
def test_gaps_do_not_hide_the_step(kind):
    frame = stays(kind)
    frame.loc[np.random.default_rng(2).random(len(frame)) < 0.2, "end"] = None
    drawn = sample(ordered(frame, kind, Inequality("begin", "end")), 200)
    assert 0 < drawn["end"].isna().sum() < 200
    apart = ((read(drawn["end"], kind) - read(drawn["begin"], kind)) / DAY).dropna()
    assert (apart == apart.round()).all()


@pytest.mark.parametrize("kind", KINDS[1:])
def test_known_dates(kind):
    frame = stays(kind)
    synthesizer = ordered(frame, kind, Inequality("begin", "end"))
    both = remaining(synthesizer, frame[["begin", "end"]].head(40))
    pd.testing.assert_frame_equal(both[["begin", "end"]], frame[["begin", "end"]].head(40))
    first = remaining(synthesizer, frame[["begin"]].head(40))
    assert first["begin"].tolist() == frame["begin"].head(40).tolist()
    apart = (read(first["end"], kind) - read(first["begin"], kind)) / DAY
    assert (apart == apart.round()).all()


@pytest.mark.parametrize("unit", ["ns", "us", "s"])
def test_known_dates_may_have_another_unit(unit):
    synthesizer = ordered(stays("datetime64[us]"), "datetime64[us]", Inequality("begin", "middle"))
    known = stays(f"datetime64[{unit}]")[["begin", "middle"]].head(20)
    drawn = remaining(synthesizer, known)
    assert drawn[["begin", "middle"]].eq(known).all(axis=None)
    one = known.iloc[0].to_dict()
    drawn = from_conditions(synthesizer, [Condition(one, num_rows=5)])
    assert drawn[["begin", "middle"]].eq(known.iloc[0]).all(axis=None)


def test_a_transformer_may_take_the_distances():
    frame = stays("datetime64[us]")
    constraints = [Inequality("begin", "end")]
    synthesizer = make(dict.fromkeys(frame, "datetime"), constraints=constraints, epochs=2)
    synthesizer.auto_assign_transformers(pack(frame))
    synthesizer.update_transformers({"begin#end": ClusterBasedNormalizer()})
    drawn = sample(fit(synthesizer, frame), 200)
    pd.testing.assert_series_equal(drawn.dtypes, frame.dtypes)
    apart, real = drawn["end"] - drawn["begin"], frame["end"] - frame["begin"]
    assert apart.median() / real.median() == pytest.approx(1, abs=0.25)


def test_fitting_leaves_the_table_as_it_was():
    frame = stays("datetime64[s]")
    kept = frame.copy()
    ordered(frame, "datetime64[s]", Range("begin", "middle", "end"))
    pd.testing.assert_frame_equal(frame, kept)
