"""Causal attention within rows.

torch's own is made for long sequences; a row of a table is a short one, of which there are many. There
products of small matrices, all rows at once, take half to two thirds of its time on processors.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["causal_attention"]

LONGEST = 64
"""Columns up to which rows are short: with 60 both ways take the same time, with 120 torch's is a tenth
faster (forward and backward, one thread)."""

NARROWEST = 16
"""Keys of a row, at least; fewer are padded. Products with fewer columns are not made in vectors."""


def causal_attention(qkv: Tensor, n_heads: int) -> Tensor:
    """Return what each place of a row attends to among itself and those before it.

    Shape
    -----
    - qkv: (n, p, 3 * width), queries, keys and values, the heads side by side in each
    - Output: (n, p, width)
    """
    if qkv.device.type == "cpu" and qkv.shape[1] <= LONGEST:
        return _ShortRows.apply(qkv, n_heads)  # type: ignore[no-any-return, no-untyped-call]
    query, key, value = qkv.unflatten(-1, (3, n_heads, -1)).permute(2, 0, 3, 1, 4)
    attended = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    return attended.transpose(1, 2).flatten(2)


class _ShortRows(torch.autograd.Function):
    """Attention head by head, on parts of ``qkv`` where they lie: torch's would copy them first."""

    @staticmethod
    def forward(ctx: Any, qkv: Tensor, n_heads: int) -> Tensor:
        n_rows, n_columns, size = qkv.shape
        width = size // 3
        keys_values = F.pad(qkv[..., width:], (0, 0, 0, max(NARROWEST - n_columns, 0)))
        n_keys = keys_values.shape[1]
        ahead = torch.full((n_columns, n_keys), -torch.inf, dtype=qkv.dtype).triu(1)
        ahead = ahead.expand(n_rows, -1, -1)
        attended = qkv.new_empty(n_rows, n_columns, width)
        shares = []
        for query, key, value, out in _heads(n_heads, qkv[..., :width], keys_values, attended):
            scores = torch.baddbmm(ahead, query, key.mT, alpha=query.shape[2] ** -0.5)
            shares.append(scores.softmax(dim=2))
            out.copy_(torch.bmm(shares[-1], value))
        ctx.n_heads = n_heads
        ctx.save_for_backward(qkv, keys_values, *shares)
        return attended

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        qkv, keys_values, *shares = ctx.saved_tensors
        n_columns, width = gradient.shape[1:]
        result = torch.empty_like(qkv)
        given = _heads(ctx.n_heads, qkv[..., :width], keys_values, gradient)
        wanted = _heads(ctx.n_heads, result[..., :width], result[..., width:])
        for (query, key, value, out), (of_query, of_key, of_value), share in zip(given, wanted, shares):
            of_value.copy_(torch.bmm(share[..., :n_columns].mT, out))
            of_share = torch.bmm(out, value.mT)
            of_score = (of_share - (of_share * share).sum(dim=2, keepdim=True)) * share
            of_score *= query.shape[2] ** -0.5
            of_query.copy_(torch.bmm(of_score, key))
            of_key.copy_(torch.bmm(of_score[..., :n_columns].mT, query))
        return result, None


def _heads(n_heads: int, query: Tensor, keys_values: Tensor, *more: Tensor) -> list[tuple[Tensor, ...]]:
    """Return each head's part of queries, keys, values, and of more laid out as queries are."""
    key, value = keys_values.chunk(2, dim=2)
    return list(zip(*(whole.chunk(n_heads, dim=2) for whole in (query, key, value, *more))))
