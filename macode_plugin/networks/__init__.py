"""Network forms: each gives p(x_j | x_S) of every column j given every set S of other columns."""

from __future__ import annotations

from macode_plugin.networks.base import ConditionalNetwork, Decoder, Examples
from macode_plugin.networks.causal import CausalNetwork
from macode_plugin.networks.masked import MaskedNetwork

__all__ = ["NETWORKS", "CausalNetwork", "ConditionalNetwork", "Decoder", "Examples", "MaskedNetwork"]

NETWORKS: dict[str, type[ConditionalNetwork]] = {"causal": CausalNetwork, "masked": MaskedNetwork}
