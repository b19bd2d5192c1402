"""The moving average of weights follows them, and is torch's once the first steps are behind."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from macode_plugin.averaging import MovingAverage


@pytest.fixture
def network():
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).reshape(2, 3))
        layer.bias.zero_()
    return layer


def move(network, step):
    with torch.no_grad():
        network.weight.add_(step)
        network.bias.sub_(0.5 * step)


def test_the_first_weights_are_taken_as_they_are(network):
    average = MovingAverage(network, 0.9)
    move(network, 1)
    average.update(1)
    torch.testing.assert_close(average.network.state_dict(), network.state_dict())


@pytest.mark.parametrize(("step", "decay"), [(2, 2 / 11), (11, 11 / 20), (81, 0.9), (1000, 0.9)])
def test_the_average_forgets_the_first_steps_quickly(network, step, decay):
    average = MovingAverage(network, 0.9)
    before = network.weight.detach().clone()
    move(network, 1)
    average.update(step)
    torch.testing.assert_close(average.network.weight.data, before + (1 - decay))


def test_later_steps_are_averaged_as_torch_does(network):
    average = MovingAverage(network, 0.9)
    by_torch = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    by_torch.update_parameters(network)
    for step in range(200, 220):
        move(network, step % 7)
        average.update(step)
        by_torch.update_parameters(network)
    torch.testing.assert_close(average.network.state_dict(), by_torch.module.state_dict())


def test_a_restart_begins_from_the_weights_as_they_are(network):
    average = MovingAverage(network, 0.9)
    move(network, 3)
    assert not torch.equal(average.network.weight, network.weight)
    average.restart()
    torch.testing.assert_close(average.network.state_dict(), network.state_dict())


def test_averaging_leaves_the_trained_weights_alone(network):
    average = MovingAverage(network, 0.5)
    kept = network.weight.detach().clone()
    average.update(5)
    average.restart()
    assert torch.equal(network.weight, kept)
    assert average.network.weight.data_ptr() != network.weight.data_ptr()
