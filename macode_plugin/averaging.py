"""Averaging a network's weights over the steps of training."""

from __future__ import annotations

import copy

from torch.optim.swa_utils import get_ema_multi_avg_fn

from macode_plugin.networks import ConditionalNetwork

__all__ = ["MovingAverage"]


class MovingAverage:
    """An exponential moving average of a network's weights that forgets the initial ones quickly.

    torch's ``AveragedModel`` goes through all modules at every step and copies their constants, some
    hundredths of a small table's step.

    Arguments
    ---------
    network : ConditionalNetwork
    decay : float
        Of the average, reached after the first steps; below 1.

    Attributes
    ----------
    network : ConditionalNetwork
        Holds the averaged weights.
    """

    def __init__(self, network: ConditionalNetwork, decay: float) -> None:
        self.network = copy.deepcopy(network)
        self.trained = network
        self.decay = decay
        self._averaged = [parameter.data for parameter in self.network.parameters()]
        self._trained = [parameter.data for parameter in network.parameters()]

    def restart(self) -> None:
        """Begin anew from the weights as they are."""
        self.network.load_state_dict(self.trained.state_dict())

    def update(self, step: int) -> None:
        """Take in the weights after ``step`` steps; the first ones are taken as they are."""
        decay = min(self.decay, step / (9 + step)) if step > 1 else 0.0
        get_ema_multi_avg_fn(decay)(self._averaged, self._trained, None)
