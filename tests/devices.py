"""A stand-in for weights on an accelerator, for machines without one."""

from __future__ import annotations

from typing import Any

import torch


class WeightsElsewhere(torch.nn.Module):
    """In place of a network: only knows where it has been, first on ``cuda:5``."""

    feed_forward = 32

    def __init__(self) -> None:
        super().__init__()
        self.places = ["cuda:5"]

    def cpu(self) -> WeightsElsewhere:
        return self.to("cpu")

    def to(self, device: Any) -> WeightsElsewhere:
        self.places.append(str(device))
        return self


def move_away(model: Any) -> Any:
    """Put a fitted model's weights on an accelerator; return the model."""
    model.network_ = WeightsElsewhere()
    return model
