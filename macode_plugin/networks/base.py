"""The interface of every network form: observed cells and a queried column give logits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from macode_plugin.networks.heads import Heads
from macode_plugin.table import Vocabulary

__all__ = ["ConditionalNetwork", "Decoder", "Examples", "scored_bytes"]


def scored_bytes(vocabulary: Vocabulary, width: int, hidden: int) -> int:
    """Return the memory that scoring a row takes, about: a layer's activations, logits, softmax.

    ``hidden`` is what a feed-forward layer makes of a cell, in numbers.
    """
    return 4 * (len(vocabulary) * (6 * width + hidden) + 2 * sum(vocabulary.sizes))


@dataclass(frozen=True)
class Examples:
    """A training batch with all that chance decides about it, so that its rows can be scored apart.

    Shape
    -----
    - tokens: (n, p), what is to be predicted
    - told: (n, p), what is known instead, see :class:`~macode_plugin.context_noise.ContextNoise`
    - observed: (n, p) bool
    - places: (n, p), the order in which a row's columns are read, or True where a cell is masked, as
      the network has it
    - weight: (n, p), what a cell's negative log-likelihood counts for in the loss
    """

    tokens: Tensor
    told: Tensor
    observed: Tensor
    places: Tensor
    weight: Tensor

    def split(self, n: int) -> list[Examples]:
        """Return ``n`` parts of nearly as many rows each; their losses add up to that of all."""
        fields = (self.tokens, self.told, self.observed, self.places, self.weight)
        return [Examples(*part) for part in zip(*(field.tensor_split(n) for field in fields))]


class Decoder(ABC):
    """Walks n rows through their columns, one column of every row at a step."""

    @abstractmethod
    def query(self, column: Tensor) -> Tensor:
        """Return each row's state for predicting ``column``, given what was revealed.

        Shape
        -----
        - column: (n,)
        - Output: (n, width), the input of the heads
        """

    @abstractmethod
    def reveal(self, column: Tensor, token: Tensor) -> None:
        """Add the queried cell's token, shape (n,), to what each row knows."""


class ConditionalNetwork(nn.Module, ABC):
    """p(x_j | x_S) of every column j given every set S of other columns."""

    heads: Heads
    feed_forward: int
    """Width of its feed-forward layers."""
    reads_in_order: bool
    """Whether a state depends on the order in which what is known is read, not on its set alone."""
    bytes_per_row: int
    """Memory that decoding one row takes, about; bounds how many rows are decoded at once."""
    scored_bytes_per_row: int
    """Memory that scoring all cells of one row takes, about."""
    own_rates = False
    """Whether large and narrow tables have rates of their own (:mod:`macode_plugin.rates`)."""
    bfloat16_products = False
    """Whether layers may be multiplied in bfloat16, in training and generation."""

    @abstractmethod
    def matrices(self) -> dict[int, list[nn.Parameter]]:
        """Return the weights that take one layer to the next, by how many matrices each stacks."""

    @abstractmethod
    def examples(
        self, tokens: Tensor, told: Tensor, observed: Tensor, generator: torch.Generator
    ) -> Examples:
        """Draw what the network is asked about a batch of rows, and what each answer counts for.

        Shape
        -----
        - tokens, told: (n, p), see :class:`Examples`
        - observed: (n, p) bool; cells that are not observed enter neither input nor loss
        """

    @abstractmethod
    def loss(self, examples: Examples) -> Tensor:
        """Return the training objective, a scalar: the weighted sum over cells."""

    @abstractmethod
    def nll(self, tokens: Tensor, observed: Tensor, orders: Tensor) -> Tensor:
        """Return the negative log-likelihood of every observed cell, in nats.

        Each is given the cells before it in its row's order; 0 at cells that are not observed.

        Shape
        -----
        - tokens, observed, orders: (n, p); a row's order visits its observed cells first
        - Output: (n, p)
        """

    @abstractmethod
    def state(self, tokens: Tensor, orders: Tensor, n_known: Tensor) -> Tensor:
        """Return each row's state for predicting one column, given those before it in its order.

        Shape
        -----
        - tokens, orders: (n, p)
        - n_known: (n,), how many columns of its order a row knows; the next one is predicted
        - Output: (n, width), the input of the heads
        """

    @abstractmethod
    def decoder(self, n_rows: int) -> Decoder:
        """Return a decoder of ``n_rows`` rows that know nothing yet."""
