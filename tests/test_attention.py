"""Causal attention within rows is torch's, for rows of any length, and so are its gradients."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from macode_plugin.networks.attention import LONGEST, NARROWEST, causal_attention

LENGTHS = (1, 2, NARROWEST - 1, NARROWEST, NARROWEST + 1, LONGEST, LONGEST + 1)


def by_torch(qkv, n_heads):
    query, key, value = qkv.unflatten(-1, (3, n_heads, -1)).permute(2, 0, 3, 1, 4)
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return attended.transpose(1, 2).flatten(2)


def rows(n_columns, width=8):
    generator = torch.Generator().manual_seed(n_columns)
    return torch.randn(3, n_columns, 3 * width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("n_heads", [1, 2, 4])
@pytest.mark.parametrize("n_columns", LENGTHS)
def test_values_and_gradients_are_those_of_torch(n_columns, n_heads):
    found, wanted = (rows(n_columns).requires_grad_() for _ in range(2))
    weight = torch.arange(8, dtype=torch.float64)
    for qkv, attention in ((found, causal_attention), (wanted, by_torch)):
        (attention(qkv, n_heads) * weight).sin().sum().backward()
    torch.testing.assert_close(causal_attention(found, n_heads), by_torch(wanted, n_heads))
    torch.testing.assert_close(found.grad, wanted.grad)


@pytest.mark.parametrize("n_columns", LENGTHS[1:])
def test_no_place_knows_those_after_it(n_columns):
    qkv = rows(n_columns)
    changed = qkv.clone()
    changed[:, -1] += 100
    before, after = causal_attention(qkv, 2), causal_attention(changed, 2)
    torch.testing.assert_close(before[:, :-1], after[:, :-1], rtol=0, atol=0)
    assert (before[:, -1] != after[:, -1]).any()


@pytest.mark.parametrize("n_columns", [5, NARROWEST + 4])
def test_what_is_given_is_not_changed(n_columns):
    qkv = rows(n_columns).requires_grad_()
    kept = qkv.detach().clone()
    causal_attention(qkv, 2).sum().backward()
    torch.testing.assert_close(qkv.detach(), kept, rtol=0, atol=0)
