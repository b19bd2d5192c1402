"""Conditional distributions: mass, density, quantiles and moments agree with each other."""

from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tables import KINDS, NUMERIC, joint_probabilities, mixed_table

from macode_plugin import MISSING, MaCoDE, conditional
from macode_plugin.conditional import CategoricalConditional, NumericConditional

matplotlib.use("agg")

N = 7
QUANTILES = np.linspace(0.02, 0.98, 13)


@pytest.fixture(scope="module")
def queries():
    return mixed_table(N, seed=3)


def ask(model, kind, queries, **options):
    return model.conditional(kind, queries.drop(columns=kind), **options)


@pytest.fixture(params=sorted(KINDS))
def any_kind(request):
    return request.param


@pytest.fixture(params=sorted(NUMERIC))
def number(request):
    return request.param


def test_the_mass_of_all_tokens_is_one(mixed_model, queries, any_kind):
    found = ask(mixed_model, any_kind, queries)
    assert found.mass.shape == (N, mixed_model.table_[any_kind].n_values)
    assert (found.mass >= 0).all()
    np.testing.assert_allclose(found.mass.sum(axis=1), 1, rtol=1e-12)
    assert len(found) == N


def test_conditionals_depend_on_what_is_given(mixed_model, queries):
    found = ask(mixed_model, "float", queries)
    assert np.abs(found.mass[0] - found.mass[1]).sum() > 1e-4
    marginal = mixed_model.conditional("float")
    assert np.abs(found.mass[0] - marginal.mass[0]).sum() > 1e-4


def test_the_density_integrates_to_one(mixed_model, queries):
    column = mixed_model.table_["float"]
    found = ask(mixed_model, "float", queries)
    low, high = column.cells.low, column.cells.high
    places = low[:, None] + (np.arange(20) + 0.5) / 20 * (high - low)[:, None]
    density = found.pdf(places.reshape(1, -1)).reshape(N, len(low), 20)
    np.testing.assert_allclose((density.mean(axis=2) * (high - low)).sum(axis=1), 1, rtol=1e-9)


@pytest.mark.parametrize("kind", ["int", "price", "datetime", "uint8", "timedelta"])
def test_the_mass_of_all_values_of_a_grid_is_one(mixed_model, queries, kind):
    column = mixed_model.table_[kind]
    low, high = int(column.cells.low[0]), int(column.cells.high[-1])
    values = column.restore(column.grid.values(np.arange(low, high + 1.0)))
    found = ask(mixed_model, kind, queries)
    mass = found.pdf(values.to_numpy().reshape(1, -1))
    np.testing.assert_allclose(mass.sum(axis=1), 1, rtol=1e-9)
    np.testing.assert_allclose(np.exp(found.log_prob(values.iloc[:N])), mass[np.arange(N), np.arange(N)])


def test_a_mixed_column_has_mass_at_its_atom_and_density_elsewhere(mixed_model, queries):
    found = ask(mixed_model, "zero_inflated", queries)
    cells = mixed_model.table_["zero_inflated"].cells
    (atom,) = np.flatnonzero(cells.high == cells.low)
    assert cells.low[atom] == 0
    np.testing.assert_allclose(found.pdf(0.0), found.mass[:, atom])
    np.testing.assert_allclose(found.cdf(0.0), found.mass[:, : atom + 1].sum(axis=1))
    np.testing.assert_array_equal(found.cdf(-1e-9), 0)
    width = (cells.high - cells.low)[1:]
    middle = (cells.high + cells.low)[1:] / 2
    density = found.pdf(middle.reshape(1, -1))
    np.testing.assert_allclose((density * width).sum(axis=1) + found.pdf(0.0), 1, rtol=1e-9)


def test_nothing_lies_beyond_the_range(mixed_model, queries):
    found = ask(mixed_model, "float", queries)
    assert (found.pdf(99.0) == 0).all()
    assert (found.log_prob(-99.0) == -np.inf).all()
    assert (found.cdf(-99.0) == 0).all()
    assert (found.cdf(99.0) == 1).all()


@pytest.mark.parametrize("kind", ["float", "float32"])
def test_cdf_inverts_icdf(mixed_model, queries, kind):
    found = ask(mixed_model, kind, queries)
    values = found.icdf(QUANTILES.reshape(1, -1))
    assert values.shape == (N, len(QUANTILES))
    tolerance = 1e-9 if kind == "float" else 1e-5
    np.testing.assert_allclose(found.cdf(values), np.tile(QUANTILES, (N, 1)), atol=tolerance)


def test_icdf_is_the_smallest_value_that_reaches_the_probability(mixed_model, queries, number):
    found = ask(mixed_model, number, queries)
    column = mixed_model.table_[number]
    values = found.icdf(QUANTILES.reshape(1, -1))
    assert (found.cdf(values) >= QUANTILES - 1e-5).all()
    ticks = np.array([column.ticks(pd.Series(row)) for row in values])
    assert (np.diff(ticks, axis=1) >= 0).all()
    if column.grid.whole:
        before = column.grid.values(np.maximum(ticks - 1, column.cells.low[0]).ravel())
        before = column.restore(before).to_numpy().reshape(values.shape)
        lower = found.cdf(before) < QUANTILES + 1e-9
        assert (lower | (ticks == column.cells.low[0])).all()


def test_the_cdf_grows_by_the_mass_of_each_token(mixed_model, queries, number):
    column = mixed_model.table_[number]
    found = ask(mixed_model, number, queries)
    ends = column.restore(column.grid.values(column.cells.high)).to_numpy()
    np.testing.assert_allclose(found.cdf(ends.reshape(1, -1)), found.mass.cumsum(axis=1), atol=1e-6)


@pytest.mark.parametrize("kind", ["float", "zero_inflated", "price", "int"])
def test_draws_follow_the_cdf_and_the_moments(mixed_model, queries, kind):
    found = ask(mixed_model, kind, queries)
    drawn = found.sample(4000, random_state=1)
    assert drawn.shape == (N, 4000)
    for i in (0, 3):
        upto = np.quantile(drawn[i], QUANTILES)
        empirical = (drawn[i][:, None] <= upto).mean(axis=0)
        assert np.abs(found.cdf(upto.reshape(1, -1))[i] - empirical).max() < 0.032  # KS at p = .0005
    spread = np.sqrt(found.variance())
    assert (np.abs(drawn.mean(axis=1) - found.mean()) < 4 * spread / np.sqrt(4000)).all()
    np.testing.assert_allclose(drawn.std(axis=1), spread, rtol=0.25)


@pytest.mark.parametrize("shift", [0, 1_700_000_000, 2**62, -(2**63)])
def test_the_variance_does_not_depend_on_where_the_column_lies(shift, tiny):
    frame = pd.DataFrame({"stamp": np.random.default_rng(0).integers(0, 60, 300) + shift})
    found = tiny().fit(frame).conditional("stamp", {})
    # Of draws: 60 values spread evenly have a variance of 300.
    drawn = found.sample(20_000, random_state=0) - shift
    assert found.variance() == pytest.approx(drawn.var(), rel=0.05)
    assert 100 < found.variance() < 500


def test_the_mean_of_times_has_all_their_digits(tiny):
    start = pd.Timestamp("2024-01-01 00:00:00.000000001")  # 2**60 nanoseconds since 1970, and more
    times = start + pd.to_timedelta(np.arange(10).repeat(30), unit="ns")
    mean = pd.Timestamp(tiny().fit(pd.DataFrame({"t": times})).conditional("t").mean())
    assert start <= mean <= times.max()


def test_many_quantiles_are_looked_up_in_parts(mixed_model, queries, monkeypatch):
    found = ask(mixed_model, "float", queries)
    whole = found.sample(50, random_state=1)
    monkeypatch.setattr(conditional, "CHUNK", 100)
    np.testing.assert_array_equal(found.sample(50, random_state=1), whole)


def test_draws_follow_the_model(mixed_model, queries):
    given = queries.drop(columns="float").iloc[[0]]
    found = mixed_model.conditional("float", given.to_dict("records")[0], n_orders=50)
    rows = given.loc[given.index.repeat(4000)]
    drawn = mixed_model.sample(conditions=rows, random_state=0)["float"]
    assert stats.kstest(drawn, lambda x: found.cdf(x)).pvalue > 1e-4


def test_intervals_hold_their_level(mixed_model, queries):
    found = ask(mixed_model, "float", queries)
    low, high = found.interval(0.8)
    np.testing.assert_allclose(found.cdf(high) - found.cdf(low), 0.8, atol=1e-9)
    np.testing.assert_allclose(found.cdf(low), 0.1, atol=1e-9)


def test_the_mode_is_where_the_density_is_largest(mixed_model, queries):
    found = ask(mixed_model, "float", queries)
    cells = mixed_model.table_["float"].cells
    densities = found.mass / (cells.high - cells.low)
    np.testing.assert_allclose(found.pdf(found.mode()), densities.max(axis=1))
    words = ask(mixed_model, "str", queries)
    assert words.mode().tolist() == words.probs.idxmax(axis=1).tolist()


def test_entropy_is_the_expected_surprise(mixed_model, queries):
    for kind in ("float", "str", "int"):
        found = ask(mixed_model, kind, queries)
        surprise = -found.log_prob(found.sample(3000, random_state=0))
        error = 4 * surprise.std(axis=1) / np.sqrt(3000)
        assert (np.abs(surprise.mean(axis=1) - found.entropy()) < error + 1e-9).all()


def test_categories_have_labelled_probabilities(mixed_model, queries):
    queries = queries.set_axis([f"q{i}" for i in range(N)])
    found = ask(mixed_model, "str", queries)
    assert isinstance(found, CategoricalConditional)
    assert list(found.probs.columns) == ["blue", "green", "red"]
    assert found.probs.index.tolist() == queries.index.tolist()
    np.testing.assert_allclose(found.pdf("red"), found.probs["red"])
    with pytest.raises(ValueError, match="no category 'pink'"):
        found.pdf("pink")


def test_one_query_gives_scalars(mixed_model):
    found = mixed_model.conditional("float", {"str": "red"})
    assert isinstance(found, NumericConditional)
    assert np.ndim(found.mean()) == np.ndim(found.cdf(0.3)) == np.ndim(found.icdf(0.5)) == 0
    assert found.cdf([0.1, 0.2]).shape == (2,)
    assert found.sample(5, random_state=0).shape == (5,)
    assert mixed_model.conditional("str", {"float": 0.1}).mode() in {"red", "green", "blue"}


def test_dates_have_dates_as_moments(mixed_model, queries):
    found = ask(mixed_model, "datetime", queries)
    low, high = found.interval(0.98)
    assert ((low <= found.mean()) & (found.mean() <= high)).all()
    with pytest.raises(TypeError, match="interval"):
        found.variance()


def test_the_joints_conditionals_are_learned(joint_model):
    truth = joint_probabilities()
    for given, part in (({}, truth.sum(axis=(0, 1))), ({"a": "a1"}, truth[1].sum(axis=0))):
        found = joint_model.conditional("c", given).probs.to_numpy()[0]
        assert np.abs(found - part / part.sum()).sum() / 2 < 0.05
    both = joint_model.conditional("c", {"a": "a1", "b": "b0"}).probs.to_numpy()[0]
    assert np.abs(both - truth[1, 0] / truth[1, 0].sum()).sum() / 2 < 0.08


def test_marginalising_is_consistent(joint_model):
    """p(c | a) = sum over b of p(b | a) p(c | a, b), within what training leaves."""
    weights = joint_model.conditional("b", {"a": "a0"}).probs.to_numpy()[0]
    rows = pd.DataFrame({"a": ["a0"] * 3, "b": ["b0", "b1", "b2"]})
    summed = weights @ joint_model.conditional("c", rows).probs.to_numpy()
    direct = joint_model.conditional("c", {"a": "a0"}).probs.to_numpy()[0]
    assert np.abs(summed - direct).sum() / 2 < 0.05


def test_left_out_and_missing_cells_are_the_same(mixed_model, queries):
    gone = queries.drop(columns="float").astype({"int": object})
    gone["int"] = None
    without = queries.drop(columns=["float", "int"])
    np.testing.assert_allclose(
        mixed_model.conditional("float", gone).mass, mixed_model.conditional("float", without).mass
    )


def test_a_row_has_the_same_answer_among_others(mixed_model, queries):
    given = queries.drop(columns="float")
    alone = mixed_model.conditional("float", given.iloc[:1])
    among = mixed_model.conditional("float", given)
    np.testing.assert_allclose(alone.mass[0], among.mass[0], rtol=1e-4)


def test_numbers_beyond_the_range_count_as_its_end(mixed_model):
    end = mixed_model.table_["float"].range[1]
    beyond, at = (mixed_model.conditional("int", {"float": x}).mass for x in (end + 50, end))
    np.testing.assert_array_equal(beyond, at)


def test_a_modelled_missing_target_has_its_probability(tiny):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=400), "kind": rng.choice(["u", "v"], 400)})
    frame.loc[(frame["kind"] == "u") & (rng.random(400) < 0.8), "x"] = np.nan
    model = tiny(epochs=40, lr=1e-2, missing="model").fit(frame)
    found = model.conditional("x", pd.DataFrame({"kind": ["u", "v"]}))
    assert found.missing[0] > 0.6
    assert found.missing[1] < 0.2
    np.testing.assert_allclose(found.mass.sum(axis=1), 1)
    given = model.conditional("kind", {"x": MISSING})
    assert given.probs["u"].iloc[0] > 0.8
    assert model.conditional("x", {"kind": "u"}).missing == pytest.approx(found.missing[0])


def test_plots_have_a_curve_for_each_query(mixed_model, queries):
    for kind in ("float", "str", "datetime", "zero_inflated"):
        ax = ask(mixed_model, kind, queries.iloc[:3]).plot()
        assert len(ax.get_legend().get_texts()) == 3
        assert ax.get_xlabel() == kind
        matplotlib.pyplot.close(ax.figure)
    with pytest.raises(ValueError, match="at most 10"):
        mixed_model.conditional("str", mixed_table(11).drop(columns="str")).plot()


def test_bad_queries_are_refused(mixed_model, queries):
    with pytest.raises(ValueError, match="both the target and given"):
        mixed_model.conditional("float", {"float": 0.1})
    with pytest.raises(ValueError, match="no column 'flat'"):
        mixed_model.conditional("flat")
    with pytest.raises(ValueError, match="n_orders"):
        mixed_model.conditional("float", n_orders=0)
    found = ask(mixed_model, "float", queries)
    with pytest.raises(ValueError, match="between 0 and 1"):
        found.icdf(1.5)
    for n in (-1, 2.5, None, "3"):
        with pytest.raises(ValueError, match=f"n must be a whole number, at least 0, however: {n!r}"):
            found.sample(n)
    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        found.cdf([0.1, 0.2, 0.3])
    with pytest.raises(Exception, match="not fitted"):
        MaCoDE().conditional("x")


@pytest.mark.parametrize("kind", ["float", "price", "datetime", "str", "boolean_na"])
def test_a_missing_value_has_no_probability(mixed_model, queries, kind):
    found = ask(mixed_model, kind, queries)
    values = mixed_table()[kind].dropna().iloc[:N].astype(object).to_numpy(copy=True)
    whole = found.log_prob(values)
    values[2] = None
    holed = found.log_prob(values)
    assert np.isnan(holed).tolist() == [i == 2 for i in range(N)]
    np.testing.assert_array_equal(np.delete(holed, 2), np.delete(whole, 2))
    if isinstance(found, NumericConditional):
        assert np.isnan(found.cdf(values)).tolist() == [i == 2 for i in range(N)]


@pytest.mark.parametrize("seed", [-3, 0.5, "1"])
def test_a_bad_seed_is_refused_by_name(mixed_model, queries, seed):
    for ask_with in (
        lambda: mixed_model.conditional("float", random_state=seed),
        lambda: mixed_model.conditional("float").sample(2, random_state=seed),
        lambda: mixed_model.log_prob(queries, random_state=seed),
    ):
        with pytest.raises(ValueError, match=f"random_state must be .* however: {seed!r}"):
            ask_with()


def test_no_draws_and_counts_of_any_type(mixed_model, queries):
    found = ask(mixed_model, "float", queries)
    assert found.sample(0).shape == (N, 0)
    np.testing.assert_array_equal(found.sample(2.0, random_state=0), found.sample(2, random_state=0))


def test_no_rows_give_no_answers(mixed_model, queries):
    none = queries.iloc[:0]
    assert mixed_model.predict("float", none).shape == (0,)
    assert mixed_model.predict_proba("str", none).shape == (0, 3)
    assert mixed_model.log_prob(none).shape == (0,)
    with pytest.raises(ValueError, match="X has no rows, so their mean log-likelihood is undefined"):
        mixed_model.score(none)
    assert ask(mixed_model, "float", none).interval(0.5)[0].shape == (0,)


@pytest.mark.parametrize("method", ["log_prob", "impute", "score"])
def test_arrays_are_refused_with_a_way_out(mixed_model, queries, method):
    with pytest.raises(TypeError, match=r"wrap it in pd\.DataFrame"):
        getattr(mixed_model, method)(queries.to_numpy())
    with pytest.raises(TypeError, match=r"wrap it in pd\.DataFrame"):
        mixed_model.predict("float", queries.to_numpy())


def test_predictions_are_the_conditionals_centres(mixed_model, queries):
    np.testing.assert_array_equal(
        mixed_model.predict("float", queries), ask(mixed_model, "float", queries).mean()
    )
    assert (
        mixed_model.predict("str", queries).tolist() == ask(mixed_model, "str", queries).mode().tolist()
    )
    pd.testing.assert_frame_equal(
        mixed_model.predict_proba("str", queries), ask(mixed_model, "str", queries).probs
    )
    with pytest.raises(TypeError, match="not categorical"):
        mixed_model.predict_proba("float", queries)
