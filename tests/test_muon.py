"""Muon: its steps are orthogonal, of the size promised, and torch's own where torch has it."""

from __future__ import annotations

import copy
import math

import pytest
import torch

from macode_plugin.muon import Muon, orthogonalise


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def a_matrix(generator, shape):
    return torch.nn.Parameter(torch.randn(shape, generator=generator))


def steps(optimizer, matrix, generator, n_steps):
    """Follow random gradients, and return the matrix after each step."""
    seen = []
    for _ in range(n_steps):
        matrix.grad = torch.randn(matrix.shape, generator=generator)
        optimizer.step()
        seen.append(matrix.detach().clone())
    return torch.stack(seen)


@pytest.mark.parametrize("shape", [(8, 8), (6, 20), (20, 6)])
def test_singular_values_become_about_one_and_directions_stay(shape, generator):
    matrices = torch.randn((3, *shape), generator=generator)
    found = orthogonalise(matrices)
    left, _, right = torch.linalg.svd(matrices, full_matrices=False)
    values = left.mT @ found @ right.mT  # diagonal: the singular vectors are as they were
    diagonal = torch.diagonal(values, dim1=-2, dim2=-1)
    assert ((diagonal > 0.6) & (diagonal < 1.3)).all()
    torch.testing.assert_close(values, torch.diag_embed(diagonal), atol=1e-4, rtol=0)


def test_the_scale_of_a_matrix_does_not_matter(generator):
    matrix = torch.randn((1, 5, 9), generator=generator)
    torch.testing.assert_close(orthogonalise(1000 * matrix), orthogonalise(matrix), atol=1e-4, rtol=0)
    assert torch.equal(orthogonalise(torch.zeros(1, 5, 9)), torch.zeros(1, 5, 9))


@pytest.mark.parametrize("shape", [(64, 64), (64, 256), (256, 64)])
def test_steps_have_the_size_that_rms_says(shape, generator):
    matrix = a_matrix(generator, shape)
    before = matrix.detach().clone()
    after = steps(Muon([matrix], lr=0.1, weight_decay=0.0, rms=0.5), matrix, generator, 1)[0]
    assert (after - before).square().mean().sqrt().item() == pytest.approx(0.05, rel=0.2)


def test_a_stack_of_matrices_is_updated_as_the_matrices_would_be(generator):
    matrices = [a_matrix(generator, (4, 7)) for _ in range(3)]
    stack = torch.nn.Parameter(torch.cat([m.detach() for m in matrices]))
    gradients = [torch.randn(4, 7, generator=generator) for _ in matrices]
    for matrix, gradient in zip(matrices, gradients):
        matrix.grad = gradient
    stack.grad = torch.cat(gradients)
    options = {"lr": 0.1, "weight_decay": 0.1}
    Muon(matrices, **options).step()
    Muon([{"params": [stack], "parts": 3}], **options).step()
    torch.testing.assert_close(stack.detach(), torch.cat([m.detach() for m in matrices]))


def test_in_16_bits_steps_are_about_the_same_and_nothing_kept_is_in_16_bits(generator):
    whole, coarse = (a_matrix(generator, (16, 48)) for _ in range(2))
    coarse.data = whole.detach().clone()
    options = {"lr": 0.1, "weight_decay": 0.0, "rms": 1.0}
    optimizer = Muon([coarse], dtype=torch.bfloat16, **options)
    state = generator.get_state()
    path = steps(Muon([whole], **options), whole, generator, 5)
    generator.set_state(state)
    off = (path - steps(optimizer, coarse, generator, 5)).square().mean(dim=(1, 2)).sqrt()
    assert (off > 0).all()
    assert (off < 0.02 * 0.1 * math.sqrt(5)).all()
    assert {coarse.dtype, optimizer.state[coarse]["momentum_buffer"].dtype} == {torch.float32}


def test_weight_decay_pulls_to_zero_apart_from_the_gradient(generator):
    plain, decayed = (torch.nn.Parameter(torch.ones(3, 3)) for _ in range(2))
    gradient = torch.randn(3, 3, generator=generator)
    for matrix, decay in ((plain, 0.0), (decayed, 0.5)):
        matrix.grad = gradient
        Muon([matrix], lr=0.1, weight_decay=decay).step()
    torch.testing.assert_close(plain.detach() - decayed.detach(), torch.full((3, 3), 0.05))


def test_a_matrix_without_a_gradient_stays(generator):
    matrix = a_matrix(generator, (3, 4))
    before = matrix.detach().clone()
    Muon([matrix], lr=0.1, weight_decay=0.5).step()
    assert torch.equal(matrix.detach(), before)


def test_momentum_is_part_of_the_state(generator):
    matrix = a_matrix(generator, (4, 4))
    optimizer = Muon([matrix], lr=0.1, weight_decay=0.0)
    steps(optimizer, matrix, generator, 3)
    copied = torch.nn.Parameter(matrix.detach().clone())
    other = Muon([copied], lr=0.1, weight_decay=0.0)
    other.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    state = generator.get_state()
    whole = steps(optimizer, matrix, generator, 2)
    generator.set_state(state)
    assert torch.equal(steps(other, copied, generator, 2), whole)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9")
@pytest.mark.parametrize("shape", [(16, 16), (16, 48), (48, 16)])
def test_torch_s_own_muon_goes_the_same_way(shape, generator):
    ours = a_matrix(generator, shape)
    theirs = torch.nn.Parameter(ours.detach().clone())
    options = {"lr": 0.1, "weight_decay": 0.1}
    peer = torch.optim.Muon([theirs], momentum=0.95, adjust_lr_fn="match_rms_adamw", **options)
    state = generator.get_state()
    path = steps(Muon([ours], **options), ours, generator, 5)
    generator.set_state(state)
    # torch computes in 16 bits: each step may be off by some percent of its size
    off = (path - steps(peer, theirs, generator, 5)).square().mean(dim=(1, 2)).sqrt()
    size = 0.1 * 0.2 * math.sqrt(5)
    assert (off < 0.05 * size).all()
