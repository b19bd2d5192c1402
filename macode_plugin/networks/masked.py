"""The paper's network: a bidirectional transformer encoder over masked columns (section 2.2)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from macode_plugin.masking import random_mask
from macode_plugin.networks.base import ConditionalNetwork, Decoder, Examples, scored_bytes
from macode_plugin.networks.heads import Heads, TokenVectors, token_offsets
from macode_plugin.table import Vocabulary

__all__ = ["MaskedNetwork"]


class MaskedNetwork(ConditionalNetwork):
    """Masked-token transformer as published; arguments as in ``CausalNetwork``.

    Every column has its own token vectors and its own [MASK] vector; there is no position
    embedding, since the vectors already tell the columns apart.
    """

    reads_in_order = False
    offsets: Tensor

    def __init__(
        self,
        vocabulary: Vocabulary,
        *,
        width: int,
        n_heads: int,
        n_layers: int,
        feed_forward: int,
        ordered_basis: bool,
        marginal_bias: bool,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.values = TokenVectors(vocabulary, width, ordered_basis=ordered_basis)
        self.mask = nn.Parameter(torch.empty(len(vocabulary), width))
        self.layers = nn.ModuleList(
            nn.utils.skip_init(
                nn.TransformerEncoderLayer,
                width,
                n_heads,
                dim_feedforward=feed_forward,
                dropout=0.0,
                batch_first=True,
            )
            for _ in range(n_layers)
        )
        self.heads = Heads(vocabulary, width, ordered_basis=ordered_basis, marginal_bias=marginal_bias)
        self.register_buffer("offsets", token_offsets(vocabulary), persistent=False)
        self.feed_forward = feed_forward
        self.bytes_per_row = 4 * len(vocabulary) * (6 * width + feed_forward)
        self.scored_bytes_per_row = scored_bytes(vocabulary, width, feed_forward)
        _initialise(self, generator)

    def forward(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """Return the encoder's output at every column.

        Shape
        -----
        - tokens: (n, p)
        - hidden: (n, p) bool, True where the token is replaced by its column's [MASK]
        - Output: (n, p, width)
        """
        return self._encode(self.values(), tokens, hidden)

    def matrices(self) -> dict[int, list[nn.Parameter]]:
        """Return the encoder's matrices; queries, keys and values are stacked."""
        matrices: dict[int, list[nn.Parameter]] = {1: [], 3: []}
        for name, weight in self.layers.named_parameters():
            if weight.ndim == 2:
                matrices[3 if name.endswith("in_proj_weight") else 1].append(weight)
        return matrices

    def examples(
        self, tokens: Tensor, told: Tensor, observed: Tensor, generator: torch.Generator
    ) -> Examples:
        """Draw masks; the loss is the published one.

        Cross-entropy at masked cells, averaged over the masked rows of each column, summed over
        columns. Missing cells are fed as [MASK] and not scored.
        """
        masked = random_mask(tokens.shape[0], tokens.shape[1], generator).to(tokens.device)
        scored = masked & observed
        weight = scored / scored.sum(dim=0).clamp(min=1)
        return Examples(tokens, told, observed, masked, weight)

    def loss(self, examples: Examples) -> Tensor:
        """Return the weighted cross-entropy; see :meth:`examples`."""
        states = self(examples.told, examples.places | ~examples.observed)
        return (self.heads.nll(states, examples.tokens) * examples.weight).sum()

    def nll(self, tokens: Tensor, observed: Tensor, orders: Tensor) -> Tensor:
        """Score every observed cell, one pass for each place in the order."""
        ranks = orders.argsort(dim=1)
        result = torch.zeros(tokens.shape, device=tokens.device)
        for step in range(tokens.shape[1]):
            hidden = (ranks >= step) | ~observed
            scores = self.heads.nll(self(tokens, hidden), tokens)
            result = torch.where((ranks == step) & observed, scores, result)
        return result

    def state(self, tokens: Tensor, orders: Tensor, n_known: Tensor) -> Tensor:
        """Mask all that is not known; see :class:`ConditionalNetwork`."""
        hidden = orders.argsort(dim=1) >= n_known.unsqueeze(1)
        column = orders.gather(1, n_known.unsqueeze(1)).squeeze(1)
        return self(tokens, hidden)[torch.arange(len(tokens), device=tokens.device), column]

    def decoder(self, n_rows: int) -> MaskedDecoder:
        """Return a decoder of rows whose cells are all masked."""
        return MaskedDecoder(self, n_rows)

    def _encode(self, table: Tensor, tokens: Tensor, hidden: Tensor) -> Tensor:
        known = F.embedding(tokens.clamp(min=0) + self.offsets, table)
        x = torch.where(hidden.unsqueeze(-1), self.mask, known)
        for layer in self.layers:
            x = layer(x)
        return x


class MaskedDecoder(Decoder):
    """Generation as in the paper's Algorithm 2: the whole row is encoded again at every step."""

    def __init__(self, network: MaskedNetwork, n_rows: int) -> None:
        self.network = network
        self.table = network.values()
        device, n_columns = self.table.device, len(network.offsets)
        self.tokens = torch.zeros(n_rows, n_columns, dtype=torch.int64, device=device)
        self.hidden = torch.ones(n_rows, n_columns, dtype=torch.bool, device=device)
        self.rows = torch.arange(n_rows, device=device)

    def query(self, column: Tensor) -> Tensor:
        """Encode what is known; see :class:`Decoder`."""
        return self.network._encode(self.table, self.tokens, self.hidden)[self.rows, column]

    def reveal(self, column: Tensor, token: Tensor) -> None:
        """Replace the cell's [MASK] by its token."""
        self.tokens[self.rows, column] = token
        self.hidden[self.rows, column] = False


def _initialise(network: MaskedNetwork, generator: torch.Generator) -> None:
    """Draw the initial weights from torch's default distributions, as the authors' code does."""
    vectors = [network.values.free, network.mask, network.values.shared, network.heads.vectors.shared]
    for parameter in vectors:
        if parameter is not None:
            _fill(parameter, torch.randn(parameter.shape, generator=generator))
    for name, parameter in [*network.layers.named_parameters(), ("weight", network.heads.vectors.free)]:
        if parameter.ndim == 1:
            _fill(parameter, torch.full(parameter.shape, float("norm" in name and "weight" in name)))
            continue
        fan_out, fan_in = parameter.shape
        attention = "in_proj" in name
        bound = math.sqrt(6 / (fan_in + fan_out)) if attention else 1 / math.sqrt(fan_in)
        _fill(parameter, (2 * torch.rand(parameter.shape, generator=generator) - 1) * bound)


def _fill(parameter: nn.Parameter, values: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(values)
