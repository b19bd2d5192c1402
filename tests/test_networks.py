"""Laws of every network form: what a conditional may depend on, and that it is one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from macode_plugin.columns import FREE
from macode_plugin.masking import random_orders
from macode_plugin.networks import NETWORKS
from macode_plugin.table import Vocabulary

SIZES = (2, 50, 5, 300, 3, 5000)
"""Tokens of six columns, so different that their heads cannot share one product."""


def vocabulary(sizes=SIZES):
    rng = np.random.default_rng(0)
    counts = [rng.integers(1, 20, size).astype(float) for size in sizes]
    places = [(np.arange(size) + 0.5) / size for size in sizes]
    return Vocabulary(tuple(counts), tuple(p if j % 2 else None for j, p in enumerate(places)))


def build(form, sizes=SIZES, seed=0, *, ordered_basis=True, marginal_bias=True):
    network = NETWORKS[form](
        vocabulary(sizes),
        width=16,
        n_heads=2,
        n_layers=2,
        feed_forward=32,
        ordered_basis=ordered_basis,
        marginal_bias=marginal_bias,
        generator=torch.Generator().manual_seed(seed),
    )
    if form == "causal":  # starts at zero, where a factor in the wrong place would not show
        with torch.no_grad():
            network.sharpness.normal_(std=0.1, generator=torch.Generator().manual_seed(seed))
    return network


def rows(n=40, sizes=SIZES, seed=1, missing=0.0):
    """Return random tokens with missing cells, which cells are observed, and orders of them."""
    generator = torch.Generator().manual_seed(seed)
    columns = [torch.randint(size, (n,), generator=generator) for size in sizes]
    tokens = torch.stack(columns, dim=1)
    observed = torch.rand(tokens.shape, generator=generator) >= missing
    return tokens.where(observed, torch.tensor(FREE)), observed, random_orders(observed, generator)


def log_conditionals(network, tokens, orders):
    """Return by place in the order the log-probabilities of all tokens of the column there."""
    decoder, heads = network.decoder(len(tokens)), network.heads.frozen(1.0, {})
    steps = []
    with torch.no_grad():
        for step in range(tokens.shape[1]):
            column = orders[:, step].contiguous()
            hidden = decoder.query(column)
            logits = torch.full((len(tokens), max(SIZES)), -torch.inf)
            for part, own, _ in heads.logits(hidden, column):
                logits[part, : own.shape[1]] = own
            steps.append(logits.log_softmax(dim=1))
            decoder.reveal(column, tokens.gather(1, column[:, None])[:, 0])
    return steps


def test_conditionals_sum_to_one_over_the_columns_own_tokens(form):
    tokens, _, orders = rows()
    steps = log_conditionals(build(form), tokens, orders)
    for column, logs in zip(orders.T, steps):
        total = logs.exp().cumsum(dim=1).gather(1, torch.tensor(SIZES)[column][:, None] - 1)
        torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize("form", NETWORKS)
def test_a_state_is_the_decoder_s_after_as_many_steps(form):
    network = build(form)
    tokens, _, orders = rows(n=30)
    n_known = torch.arange(30) % len(SIZES)
    decoder = network.decoder(30)
    with torch.no_grad():
        states = network.state(tokens, orders, n_known)
        for step in range(len(SIZES)):
            column = orders[:, step].contiguous()
            here = decoder.query(column)
            torch.testing.assert_close(states[n_known == step], here[n_known == step])
            decoder.reveal(column, tokens.gather(1, column[:, None])[:, 0])


def test_teacher_forcing_is_the_chain_of_decoder_steps(form):
    network = build(form)
    tokens, observed, orders = rows()
    with torch.no_grad():
        nll = network.nll(tokens, observed, orders)
    chain = [
        -logs.gather(1, tokens.gather(1, column[:, None]))[:, 0]
        for column, logs in zip(orders.T, log_conditionals(network, tokens, orders))
    ]
    in_order = nll.gather(1, orders)
    torch.testing.assert_close(torch.stack(chain, dim=1), in_order, atol=1e-4, rtol=1e-4)
    assert in_order.std() > 0.1


@pytest.mark.parametrize("at_once", [1, 2])
def test_how_many_steps_generation_attends_to_at_once_does_not_matter(at_once, monkeypatch):
    network = build("causal")
    tokens, _, orders = rows(n=20)
    usual = log_conditionals(network, tokens, orders)
    monkeypatch.setattr(
        "macode_plugin.networks.causal.PRODUCTS", at_once * 20 * network.queries.shape[1]
    )
    for found, expected in zip(log_conditionals(network, tokens, orders), usual):
        torch.testing.assert_close(found, expected)


def test_every_parameter_gets_a_gradient(form):
    network = build(form)
    tokens, observed, _ = rows(200)
    network.loss(network.examples(tokens, tokens, observed, torch.Generator().manual_seed(0))).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert (parameter.grad != 0).any(), name


@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("n_parts", [1, 2, 7])
def test_losses_of_parts_add_up_to_that_of_all(form, missing, n_parts):
    network = build(form)
    tokens, observed, _ = rows(50, missing=missing)
    examples = network.examples(tokens, tokens, observed, torch.Generator().manual_seed(0))
    parts = examples.split(n_parts)
    assert sum(len(part.tokens) for part in parts) == 50
    with torch.no_grad():
        total = sum(network.loss(part) for part in parts)
        torch.testing.assert_close(total, network.loss(examples))


def test_a_missing_cells_token_influences_nothing(form):
    network = build(form)
    tokens, observed, orders = rows(missing=0.4)
    other = rows(seed=9)[0].where(~observed, tokens)
    assert (other != tokens).any()
    examples = [
        network.examples(row, row, observed, torch.Generator().manual_seed(3)) for row in (tokens, other)
    ]
    with torch.no_grad():
        assert network.loss(examples[0]) == network.loss(examples[1])
        nll = network.nll(tokens, observed, orders)
        assert torch.equal(nll, network.nll(other, observed, orders))
    assert (nll[~observed] == 0).all()
    assert (nll[observed] > 0).all()


@pytest.mark.parametrize("column", [1, 3, 5])
def test_cosines_of_a_column_are_its_tokens_alone(form, column):
    sizes = (2, 5000, 5, 300, 3, 50)  # the largest first, while products go by size
    vectors = build(form, sizes).values
    place = [j for j in range(len(sizes)) if j % 2].index(column)
    with torch.no_grad():
        before = vectors()
        vectors.shared[place, 0] += 1.0  # half a period of a cosine over the column's scale
        change = vectors() - before
    own = slice(sum(sizes[:column]), sum(sizes[: column + 1]))
    assert (change[: own.start] == 0).all()
    assert (change[own.stop :] == 0).all()
    half_wave = torch.cos(torch.pi * (torch.arange(sizes[column]) + 0.5) / sizes[column])
    torch.testing.assert_close(
        change[own], (2**0.5 * half_wave).unsqueeze(1).expand(-1, 16), atol=1e-5, rtol=0
    )


def test_a_missing_cell_brings_no_gradient(form):
    network = build(form, ordered_basis=False)
    tokens, observed, orders = rows()
    observed[:, 3] = False
    orders = random_orders(observed, torch.Generator().manual_seed(0))
    network.nll(tokens, observed, orders).sum().backward()
    own = slice(sum(SIZES[:3]), sum(SIZES[:4]))
    assert (network.heads.bias.grad[own] == 0).all()
    assert (network.values().grad[own] == 0).all()
    assert (network.heads.bias.grad[: own.start] != 0).all()
    assert (network.values().grad[: own.start] != 0).any()


def test_a_wholly_missing_row_is_worth_nothing(form):
    network = build(form)
    tokens, observed, _ = rows(8)
    tokens[:4], observed[:4] = FREE, False
    orders = random_orders(observed, torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert (network.nll(tokens, observed, orders)[:4] == 0).all()
        generator = torch.Generator().manual_seed(0)
        nothing = network.loss(network.examples(tokens[:4], tokens[:4], observed[:4], generator))
    assert nothing == 0


@pytest.mark.parametrize("step", [0, 2, 4])
def test_a_step_ignores_cells_later_in_the_order(form, step):
    network = build(form)
    tokens, observed, orders = rows()
    later = orders[:, step + 1 :]
    changed = tokens.scatter(1, later, rows(seed=9)[0].gather(1, later))
    with torch.no_grad():
        before, after = (network.nll(t, observed, orders).gather(1, orders) for t in (tokens, changed))
    torch.testing.assert_close(after[:, : step + 1], before[:, : step + 1])
    assert not torch.allclose(after[:, step + 1 :], before[:, step + 1 :])


def test_a_step_depends_on_every_cell_before_it(form):
    network = build(form)
    tokens, observed, orders = rows()
    with torch.no_grad():
        before = network.nll(tokens, observed, orders).gather(1, orders)[:, -1]
        for step in range(len(SIZES) - 1):
            place = orders[:, step : step + 1]
            size = torch.tensor(SIZES)[place]
            changed = tokens.scatter(1, place, (tokens.gather(1, place) + 1) % size)
            after = network.nll(changed, observed, orders).gather(1, orders)[:, -1]
            assert ((after - before).abs() > 1e-6).float().mean() > 0.9


def test_the_masked_conditional_does_not_depend_on_the_order_of_what_is_known():
    network = build("masked")
    tokens, observed, orders = rows()
    swapped = orders[:, [2, 0, 1, 3, 4, 5]]
    with torch.no_grad():
        before, after = (network.nll(tokens, observed, o).gather(1, o) for o in (orders, swapped))
    torch.testing.assert_close(after[:, 3:], before[:, 3:])


def test_rows_do_not_influence_each_other(form):
    network = build(form)
    tokens, observed, orders = rows()
    with torch.no_grad():
        together = network.nll(tokens, observed, orders)
        alone = network.nll(tokens[7:9], observed[7:9], orders[7:9])
    torch.testing.assert_close(together[7:9], alone)


@pytest.mark.parametrize("sizes", [(2, 50, 300, 5000), (4, 4, 4), (1, 7), (65, 64, 63, 256, 257)])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_heads_in_any_bucket_agree(form, sizes, temperature):
    heads = build(form, sizes).heads
    n = 9
    hidden = torch.randn(n, len(sizes), 16, generator=torch.Generator().manual_seed(2))
    tokens = rows(n, sizes)[0]
    with torch.no_grad():
        nll, weight, frozen = heads.nll(hidden, tokens), heads.vectors(), heads.frozen(temperature, {})
    column = torch.randint(len(sizes), (n,), generator=torch.Generator().manual_seed(3))
    seen = torch.zeros(n, dtype=torch.bool)
    starts = np.r_[0, np.cumsum(sizes)]
    with torch.no_grad():
        for part, logits, _ in frozen.logits(hidden[torch.arange(n), column], column):
            for row, own in zip(part.tolist(), logits * temperature):
                j = int(column[row])
                cut = slice(starts[j], starts[j + 1])
                expected = weight[cut] @ hidden[row, j] + heads.bias[cut]
                torch.testing.assert_close(own[: sizes[j]], expected, atol=1e-5, rtol=1e-5)
                assert (own[sizes[j] :] == -torch.inf).all()
                scored = -own.log_softmax(dim=0)[tokens[row, j]]
                torch.testing.assert_close(nll[row, j], scored, atol=1e-4, rtol=1e-4)
            seen[part] = True
    assert seen.all()


def test_training_starts_from_independent_columns():
    network = build("causal")
    marginals = [torch.from_numpy(counts / counts.sum()) for counts in vocabulary().counts]
    tokens, _, orders = rows()
    with torch.no_grad():
        for parameter in network.heads.vectors.parameters():
            parameter.zero_()
    first = log_conditionals(network, tokens, orders)[0].exp()
    for column, probability in zip(orders[:, 0].tolist(), first):
        own = probability[: SIZES[column]].double()
        # Half a cell is added to every count, against tokens seen never.
        torch.testing.assert_close(own, marginals[column], atol=0.5 / 20, rtol=0.5)
        assert (own.argmax() == marginals[column].argmax()) or SIZES[column] > 19


@pytest.mark.parametrize("ordered_basis", [True, False])
def test_same_seed_same_weights(form, ordered_basis):
    one, two, other = (build(form, seed=seed, ordered_basis=ordered_basis) for seed in (4, 4, 5))
    assert one.state_dict().keys() == two.state_dict().keys()
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), two.state_dict().values()))
    assert not any(
        torch.equal(a, b)
        for a, b in zip(one.state_dict().values(), other.state_dict().values())
        if a.ndim > 1 and a.any()
    )


def test_all_weights_are_set(form):
    torch.manual_seed(0)
    one = build(form)
    _ = torch.full((10_000,), torch.nan)
    two = build(form)
    for a, b in zip(one.state_dict().values(), two.state_dict().values()):
        assert torch.equal(a, b)
        assert a.isfinite().all()


def test_one_column_is_enough(form):
    network = build(form, (3,))
    tokens, observed, orders = rows(10, (3,))
    with torch.no_grad():
        nll = network.nll(tokens, observed, orders)
    assert len(np.unique(nll.numpy().round(4))) == len(np.unique(tokens))


def test_global_random_states_are_untouched(form, tiny, mixed, random_states):
    frame = mixed[["int", "str", "price"]]
    tiny(epochs=1).fit(frame)  # imports what is imported on first use, which may draw numbers
    before = random_states()
    build(form)
    assert random_states() == before
    model = tiny(network=form, random_state=None, epochs=1).fit(frame)
    assert random_states() == before
    model.sample(10)
    assert random_states() == before
