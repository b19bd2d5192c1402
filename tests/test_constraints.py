"""Rules on columns are drawn natively, from the model's distribution restricted to them."""

import copy

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from macode_plugin import MISSING, MaCoDE
from macode_plugin.conditions import read_conditions
from macode_plugin.constraints import OPERATORS, Rule, allow, check_agreement, read_rules
from macode_plugin.table import Table


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    n = 3000
    size = rng.gamma(2.0, 1.0, n)
    return pd.DataFrame(
        {
            "real": size,
            "money": (np.exp(size) * rng.uniform(1, 2, n)).round(2),
            "count": rng.poisson(4 * size),
            "spend": np.where(rng.random(n) < 0.4, 0.0, rng.exponential(size)).round(1),
            "day": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, n), unit="D"),
            "kind": rng.choice(["a", "b", "c"], n, p=[0.7, 0.25, 0.05]),
            "grade": pd.Categorical(
                np.where(size > 2, "high", np.where(size > 1, "mid", "low")),
                categories=["low", "mid", "high"],
                ordered=True,
            ),
            "flag": rng.random(n) < 0.3,
            "gaps": pd.Series(rng.integers(0, 300, n)).astype("Int64").mask(rng.random(n) < 0.2),
        }
    )


@pytest.fixture(scope="module")
def model(frame):
    # Trained until what it says of a column hardly depends on the order of the others.
    small = {"width": 32, "n_layers": 1, "feed_forward": 64, "lr": 1e-2, "batch_size": 128}
    return MaCoDE(**small, epochs=12, missing="model", random_state=0, verbose=False).fit(frame)


@pytest.fixture
def independent(model):
    """The model, which draws rows that have nothing to do with each other."""
    alone = copy.copy(model)
    alone.stratified = False
    return alone


@pytest.fixture(scope="module")
def unconstrained(model):
    return model.sample(40_000, random_state=1)


VALUES = {
    "real": (1.234, [0.5, 1.5]),
    "money": (7.25, [4.15, 9.2]),
    "count": (7, [3, 4, 11]),
    "spend": (1.5, [0.0, 0.3]),
    "day": (pd.Timestamp("2021-03-05"), [pd.Timestamp("2020-02-02"), pd.Timestamp("2021-07-01")]),
    "kind": ("b", ["a", "c"]),
    "grade": ("mid", ["low", "high"]),
    "flag": (True, [True]),
    "gaps": (120, [5, 6, 7]),
}
CASES = [
    pytest.param(column, operator, values[operator == "in"], id=f"{column} {operator}")
    for column, values in VALUES.items()
    for operator in OPERATORS
    if not (column == "flag" and operator in "<>")
]


@pytest.mark.parametrize(("column", "operator", "value"), CASES)
def test_every_row_keeps_the_rule(model, column, operator, value):
    drawn = model.sample(300, constraints=[(column, operator, value)], random_state=2)
    assert len(drawn) == 300
    assert OPERATORS[operator](drawn[column], value).all()
    assert drawn[column].notna().all()


# Single values of finely spaced columns are too rare to be compared.
COMPARED = [
    case for case in CASES if not case.id.startswith(("real", "money", "gaps ==")) or "<" in case.id
]


@pytest.mark.parametrize(("column", "operator", "value"), COMPARED)
def test_rows_follow_the_unconstrained_rows_that_keep_the_rule(
    model, unconstrained, column, operator, value
):
    kept = OPERATORS[operator](unconstrained[column], value).fillna(False).astype(bool)
    wanted = unconstrained.loc[kept, [column]]
    given = wanted.sample(3000, replace=True, random_state=5)
    after = model.sample(conditions=given, random_state=6)
    drawn = model.sample(3000, constraints=[(column, operator, value)], random_state=3)
    assert _alike(drawn[column], wanted[column])
    for other in ("real", "kind"):
        assert other == column or _alike(drawn[other], after[other]), other


def _alike(drawn, wanted):
    """Tell whether two samples of one column come from nearly one distribution.

    Nearly: a constrained column is drawn first, and its share of values then differs a little
    from its share in the mixture of all orders. What follows it is the same draw in both.
    """
    noise = 1.7 * np.sqrt(1 / len(drawn) + 1 / len(wanted))
    if drawn.dtype.kind == "M":
        drawn, wanted = drawn.astype("int64"), wanted.astype("int64")
    if pd.api.types.is_numeric_dtype(drawn) and not pd.api.types.is_bool_dtype(drawn):
        distance = stats.ks_2samp(drawn.astype(float), wanted.astype(float)).statistic
    else:
        shares = [column.value_counts(normalize=True) for column in (drawn, wanted)]
        distance = shares[0].sub(shares[1], fill_value=0).abs().sum() / 2
    return distance < 0.04 + noise


def test_rules_on_several_columns_are_drawn_jointly():
    """Where columns depend on each other, drawing each under its own rule alone is wrong."""
    rng = np.random.default_rng(5)
    x = rng.choice(["p", "q"], 6000)
    y = np.where(x == "p", rng.random(6000) < 0.9, rng.random(6000) < 0.1)
    frame = pd.DataFrame({"x": x, "y": np.where(y, "yes", "no"), "z": rng.random(6000).round(2)})
    model = MaCoDE(epochs=15, lr=1e-2, random_state=0, verbose=False, width=32, n_layers=1).fit(frame)
    rules = [("x", "in", ["p", "q"]), ("y", "==", "yes"), ("z", "<", 0.5)]
    drawn = model.sample(4000, constraints=rules, random_state=0)
    assert (drawn["y"] == "yes").all()
    assert (drawn["z"] < 0.5).all()
    # P(x = p | y = yes) is .9; p(x) alone, then y under its rule, would give .5.
    assert (drawn["x"] == "p").mean() == pytest.approx(0.9, abs=0.03)


def test_rules_and_conditions_hold_together(model):
    drawn = model.sample(
        200, conditions={"kind": "c"}, constraints=[("count", ">=", 10), ("flag", "==", True)]
    )
    assert (drawn["kind"] == "c").all()
    assert (drawn["count"] >= 10).all()
    assert drawn["flag"].all()


@pytest.mark.parametrize(
    ("conditions", "rule"),
    [({"count": 1}, ("count", ">", 30)), ({"kind": "a"}, ("kind", "in", ["b", "c"]))],
)
def test_conditions_that_break_a_rule_are_refused(model, conditions, rule):
    with pytest.raises(ValueError, match=rf"'{rule[0]}' values that the rules on it forbid"):
        model.sample(5, conditions=conditions, constraints=[rule])


def neighbours(frame, name):
    """Return two training values that no other lies between, in the midst of a column."""
    values = np.unique(frame[name])
    middle = len(values) // 2
    return values[middle], values[middle + 1]


@pytest.mark.parametrize("name", ["real", "money", "count", "day"])
@pytest.mark.parametrize("by_row", [False, True])
def test_a_condition_beside_the_end_of_a_rule_is_refused_and_one_at_it_kept(model, frame, name, by_row):
    low, high = neighbours(frame, name)

    def draw(value, *rule):
        given = pd.DataFrame({name: [None, value], "kind": ["a", None]}) if by_row else {name: value}
        free = pd.DataFrame({name: [None, None]})
        assert model.sample(conditions=free, constraints=[(name, *rule)]).notna()[name].all()
        drawn = model.sample(2, conditions=given, constraints=[(name, *rule)], random_state=0)[name]
        return drawn.iloc[1]

    for value, *rule in [(low, ">=", high), (high, "<=", low), (low, ">", low), (high, "<", high)]:
        with pytest.raises(ValueError, match=f"'{name}' values that the rules on it forbid, such as"):
            draw(value, *rule)
    with pytest.raises(ValueError, match=f"'{name}' values that the rules on it forbid, such as"):
        draw(low, "in", [high])
    for value, *rule in [(high, ">=", high), (low, "<=", low), (high, ">", low), (low, "<", high)]:
        assert draw(value, *rule) == value
    assert draw(low, "==", low) == draw(low, "in", [high, low]) == low


def test_a_condition_off_the_grid_is_compared_as_it_is_given(model):
    drawn = model.sample(2, conditions={"money": 7.2512}, constraints=[("money", ">=", 7.251)])
    assert (drawn["money"] == 7.2512).all()
    with pytest.raises(ValueError, match=r"such as 7\.2508"):
        model.sample(2, conditions={"money": 7.2508}, constraints=[("money", ">=", 7.251)])


def test_a_condition_is_compared_in_its_columns_precision(tiny):
    frame = pd.DataFrame({"x": np.random.default_rng(0).random(300).astype(np.float32)})
    model = tiny(epochs=1).fit(frame)
    assert float(np.float32(0.1)) > 0.1
    for value in (0.1, np.float32(0.1)):
        for rule in (("<=", 0.1), (">=", 0.1), ("==", 0.1), ("in", [0.1, 0.2])):
            drawn = model.sample(2, conditions={"x": value}, constraints=[("x", *rule)])["x"]
            assert (drawn == np.float32(0.1)).all()
        for rule in (("<", 0.1), (">", 0.1), ("in", [0.2])):
            with pytest.raises(
                ValueError, match=r"'x' values that the rules on it forbid, such as 0\.1"
            ):
                model.sample(2, conditions={"x": value}, constraints=[("x", *rule)])


@pytest.mark.parametrize("name", ["gaps", "kind"])
def test_a_missing_cell_keeps_no_rule(model, name):
    value = VALUES[name][0]
    if name == "gaps":
        with pytest.raises(
            ValueError, match="'gaps' values that the rules on it forbid, such as MISSING"
        ):
            model.sample(2, conditions={name: MISSING}, constraints=[(name, "==", value)])
    for operator, what in (("==", MISSING), ("in", [value, MISSING])):
        with pytest.raises(ValueError, match=rf"rules are on values.*'{name}': MISSING"):
            model.sample(2, constraints=[(name, operator, what)])


def test_a_rare_rule_gives_all_rows(model, frame):
    threshold = float(frame["real"].quantile(0.999))
    drawn = model.sample(2000, constraints=[("real", ">", threshold)], random_state=0)
    assert (drawn["real"] > threshold).all()
    assert len(drawn) == 2000


def test_an_independent_row_does_not_depend_on_the_others(independent):
    rules = [("real", ">", 1.0), ("count", "<", 9), ("kind", "in", ["a", "b"])]
    many = independent.sample(900, constraints=rules, random_state=4)
    few = independent.sample(60, constraints=rules, random_state=4)
    pd.testing.assert_frame_equal(many.head(60), few)


def test_an_independent_row_does_not_depend_on_what_others_are_given(independent):
    rules = [("count", "<", 9), ("kind", "in", ["a", "b"])]
    given = pd.DataFrame({"kind": ["a"] * 40 + [None]})
    beside = independent.sample(conditions=given, constraints=rules, random_state=4)
    alone = independent.sample(conditions=given.head(40), constraints=rules, random_state=4)
    pd.testing.assert_frame_equal(beside.head(40), alone)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (("count", "<", -1), "count < -1"),
        (("kind", "==", "z"), "kind == 'z'"),
        (("money", "==", 7.251), "money == 7.251"),
        (("day", ">", pd.Timestamp("2030-01-01")), "day >"),
        (("kind", "<", 3), "kind < 3"),
        (("count", "~", 3), "operator"),
        (("count", "in", 3), "'in' needs a list"),
        (("nowhere", "<", 3), "no column 'nowhere'"),
        (("count", "<"), "a rule is"),
        (("count", "<", "many"), "'many'"),
        (("count", "<", None), "count < None.*missing"),
        (("count", ">=", np.nan), "count >= nan.*missing"),
        (("day", ">=", pd.NaT), "day >= NaT.*missing"),
        (("kind", "in", ["a", None]), "kind in .*missing"),
    ],
)
def test_an_impossible_rule_is_refused_by_name(model, rule, words):
    with pytest.raises(ValueError, match=words):
        model.sample(3, constraints=[rule])


@pytest.mark.parametrize("value", [600, 600.0, "600"])
def test_a_duration_has_a_unit(value, mixed_model):
    with pytest.raises(ValueError, match=r"'timedelta'.*a number has no unit"):
        mixed_model.sample(3, constraints=[("timedelta", ">=", value)])
    rows = mixed_model.sample(50, constraints=[("timedelta", ">=", "10 min")], random_state=0)
    assert (rows["timedelta"] >= pd.Timedelta(minutes=10)).all()


def test_contradicting_rules_are_refused_together(model):
    with pytest.raises(ValueError, match="count > 5 and count < 5"):
        model.sample(3, constraints=[("count", ">", 5), ("count", "<", 5)])


@pytest.mark.parametrize("column", ["real", "money", "count", "spend", "day"])
def test_what_two_opposite_rules_allow_makes_the_whole(frame, column):
    fitted = Table.fit(frame)[column]
    value = VALUES[column][0]
    below, above = (allow(fitted, [Rule(column, sign, value)]) for sign in ("<=", ">"))
    np.testing.assert_allclose(np.exp(below.log_weight) + np.exp(above.log_weight), 1.0, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, "Float32", np.float64])
def test_no_drawn_number_is_rounded_across_a_rule(dtype, tiny):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": pd.Series(1e6 + 1000 * rng.random(600)).astype(dtype), "y": range(600)})
    model = tiny(epochs=1).fit(frame)
    low, high = 1_000_400.03, 1_000_400.58  # a single-precision number is 1/16 from the next
    for rules in ([("x", ">=", low), ("x", "<", high)], [("x", ">", low), ("x", "<=", high)]):
        drawn = model.sample(500, constraints=rules, random_state=0)["x"].astype(np.float64)
        assert drawn.between(low, high).all()
        assert drawn.nunique() > 5


def test_values_may_come_from_a_generator(model):
    drawn = model.sample(50, constraints=[("kind", "in", (c for c in "ab"))], random_state=0)
    assert set(drawn["kind"]) == {"a", "b"}


def test_strict_rules_leave_out_an_atom_among_numbers_of_full_precision():
    rng = np.random.default_rng(3)
    x = np.where(rng.random(2000) < 0.5, 0.0, rng.normal(size=2000))
    column = Table.fit(pd.DataFrame({"x": x})).columns[0]
    (atom,) = np.flatnonzero(column.cells.low == column.cells.high)
    for operator, allowed in (("<", False), (">", False), ("<=", True), (">=", True), ("==", True)):
        weight = allow(column, [Rule("x", operator, 0.0)]).log_weight
        assert np.isfinite(weight[atom]) == allowed, operator
        assert np.isfinite(weight[atom - 1]) == (operator in ("<", "<="))
        assert np.isfinite(weight[atom + 1]) == (operator in (">", ">="))


BETWEEN = [
    ("i", 112, "<", 115, True),
    ("i", 118, "<=", 115, False),
    ("i", 118, ">=", 119, False),
    ("i", 118, "in", [113, 110], False),
    ("i", 110, "in", [113, 110], True),
    ("d", "2020-01-05T09:00", "<", "2020-01-05T12:00", True),
    ("d", "2020-01-05T18:00", "<=", "2020-01-05T12:00", False),
    ("f", np.float32(148.98), ">=", 148.98, True),
    ("f", np.float32(148.98), "==", 148.98, True),
    ("f", np.float32(148.98), "<", 148.98, False),
]


@pytest.mark.parametrize(("name", "value", "operator", "bound", "kept"), BETWEEN, ids=str)
def test_conditions_between_the_values_of_a_grid_are_compared_as_they_are(
    name, value, operator, bound, kept
):
    frame = pd.DataFrame(
        {
            "i": np.arange(200) * 10,
            "d": pd.date_range("2020-01-01", periods=200),
            "f": (np.arange(200) / 100 + 147).round(2).astype("float32"),
        }
    )
    table = Table.fit(frame, n_bins=20, atoms=True, model_missing=False, categorical_columns=None)
    given = read_conditions(table, {name: value}, 1)
    rules = read_rules(table, [(name, operator, bound)])
    if kept:
        check_agreement(table, given, rules)
    else:
        with pytest.raises(ValueError, match="rules on it forbid"):
            check_agreement(table, given, rules)
