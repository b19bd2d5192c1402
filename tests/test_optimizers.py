"""AdamW without torch's compiler: the same steps, and no import of it; rates by the table's size."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from macode_plugin import MaCoDE
from macode_plugin.optimizers import AdamW

FIT = """
import sys
import torch
own = set(sys.modules)  # torch 2.1 imports the algebra itself
import numpy as np, pandas as pd
from macode_plugin import MaCoDE

frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("abc"))
MaCoDE(epochs=2, verbose=False).fit(frame).sample(5)
print(*{"torch._dynamo", "sympy"} & (set(sys.modules) - own))
"""


def test_fitting_and_sampling_leave_the_compiler_and_its_algebra_unimported():
    done = subprocess.run([sys.executable, "-c", FIT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def walk(kind):
    generator = torch.Generator().manual_seed(0)
    weights = [torch.nn.Parameter(torch.randn(size, generator=generator)) for size in ((4, 3), (5,))]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "weight_decay": 0.5}]
    optimizer = kind(groups, lr=0.1, weight_decay=0.01, foreach=True)
    for _ in range(5):
        loss = sum((weight**2).sum().sin() for weight in weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return weights, optimizer.state_dict()


def test_steps_and_their_state_are_those_of_torch():
    ours, theirs = walk(AdamW), walk(torch.optim.AdamW)
    for own, other in zip(ours[0], theirs[0]):
        assert torch.equal(own, other)
    assert ours[1]["param_groups"] == theirs[1]["param_groups"]
    for place, moments in theirs[1]["state"].items():
        assert all(torch.equal(ours[1]["state"][place][name], own) for name, own in moments.items())


@pytest.mark.parametrize(("network", "rates"), [("causal", [1e-3, 1e-3, 2e-3]), ("masked", [2e-3] * 3)])
def test_the_causal_form_learns_few_columns_at_half_the_rate(network, rates):
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 5)), columns=list("abcde"))
    model = MaCoDE(network=network, epochs=1, schedule="constant", device="cpu", verbose=False)
    told = [model.fit(frame.iloc[:, :n]).history_[0]["lr"] for n in (2, 4, 5)]
    assert told == pytest.approx(rates)
