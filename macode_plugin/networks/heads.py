"""Token tables: the vectors that tokens enter a network with, and the heads that predict them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from macode_plugin.table import Vocabulary

__all__ = ["Heads", "TokenVectors", "token_offsets"]

N_COSINES = 32
"""Cosines over the scale of an ordered column that its tokens share."""

TOKENS_PER_FREQUENCY = 40
"""Tokens of a column for each frequency that is hardly damped. Fewer let a large table's sharp
conditionals be learned in time; more keep a small table, whose columns have few tokens, smooth."""

COLDEST = 1e-30
"""The lowest temperature that logits are divided by: the most probable token is drawn already, and
still smaller divisors make logits too large for single precision."""


def token_offsets(vocabulary: Vocabulary) -> Tensor:
    """Return where each column's tokens begin among the tokens of all columns, shape (p,)."""
    return torch.from_numpy(np.r_[0, np.cumsum(vocabulary.sizes)[:-1]].astype(np.int64))


class TokenVectors(nn.Module):
    """One vector for every token of every column, N in all.

    Tokens of an ordered column share a smooth part, cosines over the tokens' positions on the
    column's scale, damped with their frequency, less in a column of many tokens; what is a
    token's own comes on top, and is decayed strongly in training (``training.OWN_DECAY``).
    Neighbouring bins so learn from each other, which the paper's independent vectors do not: a
    departure, which ``ordered_basis=False`` undoes.

    Shape
    -----
    - Output: (N, width)
    """

    groups: Sequence[_Cosines]
    ordered: Tensor
    unordered: Tensor

    def __init__(self, vocabulary: Vocabulary, width: int, *, ordered_basis: bool) -> None:
        super().__init__()
        self.n_tokens = sum(vocabulary.sizes)
        positions = {j: p for j, p in enumerate(vocabulary.positions) if p is not None}
        self.shared = self.own = None
        n_free = self.n_tokens
        if ordered_basis and positions:
            self.groups = nn.ModuleList(_cosines(list(positions.values())))  # type: ignore[assignment]
            offsets = token_offsets(vocabulary).numpy()
            tokens = [offsets[j] + np.arange(len(position)) for j, position in positions.items()]
            places = torch.cat([group.columns for group in self.groups]).tolist()
            ordered = np.concatenate([tokens[place] for place in places])
            self.shared = nn.Parameter(torch.zeros(len(positions), N_COSINES, width))
            self.own = nn.Parameter(torch.zeros(len(ordered), width))
            unordered = np.setdiff1d(np.arange(self.n_tokens), ordered)
            n_free = len(unordered)
            self.register_buffer("ordered", torch.from_numpy(ordered), persistent=False)
            self.register_buffer("unordered", torch.from_numpy(unordered), persistent=False)
        self.free = nn.Parameter(torch.zeros(n_free, width))

    def forward(self) -> Tensor:
        """Return all vectors."""
        if self.shared is None or self.own is None:
            return self.free
        smooth = torch.cat([group(self.shared) for group in self.groups])
        vectors = self.free.new_zeros(self.n_tokens, self.free.shape[1])
        vectors = vectors.index_copy(0, self.unordered, self.free)
        return vectors.index_copy(0, self.ordered, smooth + self.own)


class _Cosines(nn.Module):
    """The damped cosines of ordered columns of similar size, applied as one batched product.

    Arguments
    ---------
    columns : ndarray, shape (c,)
        Their places among the ordered columns.
    positions : list of c ndarrays
        The positions of each column's tokens.
    """

    columns: Tensor
    basis: Tensor
    rows: Tensor

    def __init__(self, columns: np.ndarray, positions: list[np.ndarray]) -> None:
        super().__init__()
        longest = max(len(position) for position in positions)
        frequency = np.arange(1, N_COSINES + 1)
        basis = np.zeros((len(columns), longest, N_COSINES), dtype=np.float32)
        rows = []
        for i, position in enumerate(positions):
            cosines = np.cos(math.pi * position[:, None] * frequency)
            basis[i, : len(position)] = cosines * _damping(frequency, len(position))
            rows.append(i * longest + np.arange(len(position)))
        self.register_buffer("columns", torch.from_numpy(columns), persistent=False)
        self.register_buffer("basis", torch.from_numpy(basis), persistent=False)
        self.register_buffer("rows", torch.from_numpy(np.concatenate(rows)), persistent=False)

    def forward(self, shared: Tensor) -> Tensor:
        """Return the smooth part of the vectors of these columns' tokens, one column after another.

        Shape
        -----
        - shared: (ordered columns, N_COSINES, width)
        - Output: (tokens, width)
        """
        smooth = torch.bmm(self.basis, shared.index_select(0, self.columns))
        return smooth.flatten(0, 1).index_select(0, self.rows)


def _cosines(positions: list[np.ndarray]) -> list[_Cosines]:
    """Return the cosines of all ordered columns, grouped by size."""
    level = _levels(np.array([len(position) for position in positions]))
    groups = [np.flatnonzero(level == one) for one in np.unique(level)]
    return [_Cosines(group, [positions[place] for place in group]) for group in groups]


def _levels(sizes: np.ndarray) -> np.ndarray:
    """Return which group a column's number of tokens puts it in.

    Powers of four: few products, and padding to at most four times a column's own size.
    """
    return np.maximum(np.ceil(np.log(np.maximum(sizes, 2)) / math.log(4) - 1e-9), 3)


def _damping(frequency: np.ndarray, n_tokens: int) -> np.ndarray:
    """Return the amplitude of each cosine: inverse to the frequency beyond the first few."""
    first = max(n_tokens / TOKENS_PER_FREQUENCY, 1.0)
    return math.sqrt(2) / (1 + (frequency - 1) / first)


class _Bucket(nn.Module):
    """Columns with vocabularies of similar size, whose heads are applied as one batched product."""

    columns: Tensor
    index: Tensor
    pad: Tensor

    def __init__(self, columns: np.ndarray, sizes: np.ndarray, offsets: np.ndarray) -> None:
        super().__init__()
        longest = int(sizes.max())
        token = np.arange(longest)[None, :]
        real = token < sizes[:, None]
        index = np.where(real, offsets[:, None] + token, 0)
        self.register_buffer("columns", torch.from_numpy(columns), persistent=False)
        self.register_buffer("index", torch.from_numpy(index), persistent=False)
        pad = np.where(real, 0.0, -np.inf).astype(np.float32)
        self.register_buffer("pad", torch.from_numpy(pad), persistent=False)

    def gather(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
        """Return the heads' weights (c, width, K) and biases (c, 1, K), padded to one size K."""
        flat = self.index.flatten()
        heads = weight.index_select(0, flat).unflatten(0, self.index.shape)
        shift = bias.index_select(0, flat).unflatten(0, self.index.shape) + self.pad
        return heads.transpose(1, 2), shift.unsqueeze(1)


class Heads(nn.Module):
    """A linear head per column, giving the logits of its tokens.

    Biases start at the log-marginals, so that training starts from independent columns.
    """

    buckets: Sequence[_Bucket]

    def __init__(
        self, vocabulary: Vocabulary, width: int, *, ordered_basis: bool, marginal_bias: bool
    ) -> None:
        super().__init__()
        self.vectors = TokenVectors(vocabulary, width, ordered_basis=ordered_basis)
        bias = torch.zeros(sum(vocabulary.sizes))
        if marginal_bias:
            bias = torch.cat([_log_marginal(counts) for counts in vocabulary.counts])
        self.bias = nn.Parameter(bias)
        sizes = np.array(vocabulary.sizes)
        offsets = token_offsets(vocabulary).numpy()
        level = _levels(sizes)
        self.buckets = nn.ModuleList(  # type: ignore[assignment]
            _Bucket(np.flatnonzero(level == one), sizes[level == one], offsets[level == one])
            for one in np.unique(level)
        )

    def nll(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """Return the negative log-likelihood of every cell, in nats.

        Shape
        -----
        - hidden: (n, p, width), column j's output at place j
        - tokens: (n, p), any value at cells whose result is not used
        - Output: (n, p)
        """
        weight = self.vectors()
        parts = []
        for bucket in self.buckets:
            heads, shift = bucket.gather(weight, self.bias)
            states = hidden.index_select(1, bucket.columns).transpose(0, 1)
            logits = torch.baddbmm(shift, states, heads)  # (columns, n, K)
            target = tokens.index_select(1, bucket.columns).t().clamp(min=0)
            picked = F.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
            parts.append(picked.unflatten(0, target.shape).t())
        if len(parts) == 1:
            return parts[0]
        columns = torch.cat([bucket.columns for bucket in self.buckets])
        return hidden.new_empty(tokens.shape).index_copy(1, columns, torch.cat(parts, 1))

    def frozen(self, temperature: float, log_weights: Mapping[int, Tensor]) -> FrozenHeads:
        """Return the heads as they are now, laid out for generation; see :class:`FrozenHeads`."""
        return FrozenHeads(self, temperature, log_weights)


class FrozenHeads:
    """Heads laid out once for the many small products of generation; no gradients.

    Arguments
    ---------
    heads : Heads
    temperature : float
        Divides the logits.
    log_weights : mapping of int to Tensor of shape (K_j,)
        By column, the logarithm of the share of each token that may be drawn.
    """

    def __init__(self, heads: Heads, temperature: float, log_weights: Mapping[int, Tensor]) -> None:
        temperature = max(temperature, COLDEST)
        weight, bias = heads.vectors() / temperature, heads.bias / temperature
        self.gathered = [bucket.gather(weight, bias) for bucket in heads.buckets]
        self.log_weights = [_pad_weights(bucket, log_weights) for bucket in heads.buckets]
        columns = [bucket.columns for bucket in heads.buckets]
        self.sizes = [len(of) for of in columns]
        self.rank_of = torch.cat(columns).argsort()

    def logits(self, state: Tensor, column: Tensor) -> list[tuple[Tensor, Tensor, Tensor | None]]:
        """Return logits of each row's queried column, in groups of rows that fit together.

        Shape
        -----
        - state: (n, width)
        - column: (n,), the column that each row asks for
        - Output: rows (r,), logits (r, K), ``-inf`` beyond a column's own tokens, and log-weights
          (r, K) or None where nothing is constrained
        """
        rank = self.rank_of[column]
        by_column = rank.argsort(stable=True)
        asked = torch.bincount(rank, minlength=len(self.rank_of)).split(self.sizes)
        rows_of = by_column.split([int(counts.sum()) for counts in asked])
        return [
            (rows, *self._bucket(b, state, rows, counts))
            for b, (rows, counts) in enumerate(zip(rows_of, asked))
            if len(rows)
        ]

    def _bucket(
        self, b: int, state: Tensor, rows: Tensor, counts: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Apply one bucket's heads to rows sorted by column, padded to one batched product.

        ``counts`` tells how many of them ask for each of its columns.
        """
        weight, shift = self.gathered[b]
        place = torch.arange(int(counts.max()), device=rows.device)
        first = (counts.cumsum(0) - counts).unsqueeze(1)
        padded = rows.take((first + place).clamp_(max=len(rows) - 1))
        states = state.index_select(0, padded.flatten()).unflatten(0, padded.shape)
        logits = torch.baddbmm(shift, states, weight).flatten(0, 1)
        taken = (place < counts.unsqueeze(1)).flatten().nonzero().squeeze(1)
        log_weights = self.log_weights[b]
        if log_weights is not None:
            log_weights = log_weights.repeat_interleave(counts, dim=0)
        if len(taken) < len(logits):
            logits = logits.index_select(0, taken)
        return logits, log_weights


def _pad_weights(bucket: _Bucket, log_weights: Mapping[int, Tensor]) -> Tensor | None:
    """Return the log-weights of a bucket's columns, shape (c, K), or None if none has any."""
    own = {i: log_weights[j] for i, j in enumerate(bucket.columns.tolist()) if j in log_weights}
    if not own:
        return None
    first = next(iter(own.values()))
    padded = first.new_zeros(bucket.index.shape)
    for i, weights in own.items():
        padded[i, : len(weights)] = weights
    return padded


def _log_marginal(counts: np.ndarray) -> Tensor:
    smoothed = counts + 0.5
    return torch.from_numpy(np.log(smoothed / smoothed.sum()).astype(np.float32))
