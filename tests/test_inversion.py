"""Laws of drawing tokens by inversion, whether tokens are summed one by one or by blocks."""

from __future__ import annotations

import pytest
import torch

from macode_plugin.inversion import MANY_TOKENS, Cumulative, cumulate

TAIL = [0.5, 1e-5, 0.3, 3e-6, 0.2 - 1.3e-5]
FEW, MANY = 5, MANY_TOKENS + 7


def draw(logits, u):
    return cumulate(logits, u.dtype).invert(u)


def among(logits, n_tokens):
    """Return logits of as many tokens as wanted, those given first, last and evenly between.

    The others are impossible. Also the places of those given.
    """
    places = torch.linspace(0, n_tokens - 1, len(logits)).long()
    spread = torch.full((n_tokens,), -torch.inf, dtype=logits.dtype)
    spread[places] = logits
    return spread, places


@pytest.mark.parametrize("n_tokens", [FEW, MANY])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_draws_match_the_probabilities_in_the_tail(dtype, n_tokens):
    logits, places = among(torch.tensor(TAIL, dtype=dtype).log(), n_tokens)
    n = 400_000
    cumulative = cumulate(logits.expand(1000, -1), torch.float64)
    u = ((torch.arange(n, dtype=torch.float64) + 0.5) / n).split(1000)
    counts = torch.bincount(torch.cat([cumulative.invert(part) for part in u]), minlength=n_tokens)
    # Stratified draws miss each token's share by one row at most; rounding of the logits by little.
    expected = n * torch.tensor(TAIL, dtype=torch.float64)
    assert ((counts[places] - expected).abs() <= 1.1).all()
    assert counts.sum() == counts[places].sum()


@pytest.mark.parametrize("n_tokens", [6, MANY])
def test_impossible_tokens_are_never_drawn(n_tokens):
    given = torch.tensor([-torch.inf, 0.0, -torch.inf, 1.0, -torch.inf, -torch.inf])
    logits, places = among(given, n_tokens)
    u = torch.linspace(0, 1 - 2**-53, 1001, dtype=torch.float64)
    drawn = draw(logits.expand(len(u), -1), u)
    assert set(drawn.tolist()) == {places[1].item(), places[3].item()}


@pytest.mark.parametrize("n_tokens", [300, MANY, 2 * MANY_TOKENS])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_ends_of_the_uniform_numbers(dtype, n_tokens):
    below_one = torch.nextafter(torch.ones(1, dtype=dtype), torch.zeros(1, dtype=dtype)).item()
    u = torch.tensor([0.0, below_one], dtype=dtype)
    logits, places = among(torch.tensor([-torch.inf, 0.3, 0.1, -80.0, 0.2, -torch.inf]), n_tokens)
    assert draw(logits.expand(2, -1), u).tolist() == places[[1, 4]].tolist()
    for seed in range(50):
        logits = torch.randn(2, n_tokens, generator=torch.Generator().manual_seed(seed)) * 8
        first, last = draw(logits, u).tolist()
        assert first == 0
        assert last < n_tokens
        assert logits[1, last].sub(logits[1].max()) > -60


@pytest.mark.parametrize("n_tokens", [FEW, MANY])
def test_a_uniform_number_that_rounding_lifts_to_one_draws_a_possible_token(n_tokens):
    u = torch.tensor([1 - 2**-30], dtype=torch.float64).to(torch.float32)
    assert u.item() == 1
    logits, places = among(torch.tensor([0.3, 0.1, 0.2, -torch.inf, -torch.inf]), n_tokens)
    assert draw(logits.unsqueeze(0), u).item() in places[:3].tolist()


def test_draws_follow_the_cumulative_distribution():
    logits = torch.tensor([0.1, 0.2, 0.3, 0.4]).log().double()
    u = torch.tensor([0.05, 0.0999, 0.1001, 0.29, 0.31, 0.59, 0.61, 0.999], dtype=torch.float64)
    assert draw(logits.expand(8, -1), u).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]


@pytest.mark.parametrize("n_tokens", [MANY_TOKENS, MANY_TOKENS + 1, MANY])
def test_blocks_change_no_token(n_tokens):
    generator = torch.Generator().manual_seed(0)
    logits = 4 * torch.randn(300, n_tokens, generator=generator, dtype=torch.float64)
    u = torch.rand(300, generator=generator, dtype=torch.float64)
    by_blocks = cumulate(logits, torch.float64)
    one_by_one = Cumulative(logits.softmax(dim=1), torch.float64)
    assert type(by_blocks) is not type(one_by_one)
    assert torch.equal(by_blocks.invert(u), one_by_one.invert(u))
    places = torch.stack([by_blocks.mean_place(), one_by_one.mean_place()])
    assert torch.corrcoef(places)[0, 1] > 0.99
    assert places.diff(dim=0).abs().max() < 0.1  # of one in 16 blocks or more
