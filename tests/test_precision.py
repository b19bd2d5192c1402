"""Training and generation in numbers of 16 bits, where the processor has instructions for them."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from macode_plugin import MaCoDE, precision
from macode_plugin.muon import Muon

CPU = torch.device("cpu")


def listing(folder, flags):
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\nmodel name\t: avx512_bf16\nflags\t\t: fpu {flags} sse2\n")
    return path


@pytest.mark.parametrize(
    ("flags", "fast"),
    [("avx512_bf16", True), ("amx_bf16 avx512f", True), ("avx512f avx512bw", False), ("avx2", False)],
)
def test_the_processor_s_flags_decide(flags, fast, tmp_path):
    assert precision.multiplies_bfloat16(listing(tmp_path, flags)) is fast


def test_a_system_without_the_list_stays_at_float32(tmp_path):
    assert not precision.multiplies_bfloat16(tmp_path / "none")


@pytest.fixture
def bfloat16_here(monkeypatch, tmp_path):
    monkeypatch.setattr(precision, "CPUINFO", listing(tmp_path, "avx512_bf16"))


def test_only_the_causal_network_on_a_processor_takes_bfloat16_by_itself(bfloat16_here):
    assert precision.in_bfloat16("auto", "causal", CPU, 64)
    assert not precision.in_bfloat16("float32", "causal", CPU, 64)
    assert not precision.in_bfloat16("auto", "masked", CPU, 64)
    assert not precision.in_bfloat16("auto", "causal", torch.device("cuda"), 64)
    assert precision.in_bfloat16("bfloat16", "causal", torch.device("cuda"), 64)


def test_narrow_layers_stay_at_float32_unless_told_otherwise(bfloat16_here):
    assert not precision.in_bfloat16("auto", "causal", CPU, 32)
    assert precision.in_bfloat16("bfloat16", "causal", CPU, 32)


def dependent():
    x = np.random.default_rng(0).normal(size=300)
    return pd.DataFrame({"x": x, "twice": 2 * x, "sign": np.where(x > 0, "up", "down")})


def fitted(tiny, **changes):
    return tiny(epochs=20, lr=1e-2, feed_forward=64, **changes).fit(dependent())


def test_automatic_precision_is_the_processor_s(tiny, bfloat16_here, monkeypatch, tmp_path):
    in_16 = fitted(tiny).history_[-1]["train_nll"]
    assert in_16 == fitted(tiny, precision="bfloat16").history_[-1]["train_nll"]
    (tmp_path / "old").mkdir()
    monkeypatch.setattr(precision, "CPUINFO", listing(tmp_path / "old", "avx2"))
    in_32 = fitted(tiny).history_[-1]["train_nll"]
    assert in_32 == fitted(tiny, precision="float32").history_[-1]["train_nll"] != in_16


def test_what_is_learned_in_bfloat16_is_about_what_is_learned_in_float32(tiny):
    models = [fitted(tiny, precision=name, refit=False) for name in precision.PRECISIONS]
    first = models[0].history_[0]["validation_nll"]
    in_32, in_16 = (model.history_[-1]["validation_nll"] for model in models)
    assert first - in_32 > 1, "something was learned"
    assert in_16 == pytest.approx(in_32, abs=0.02 * (first - in_32))


@pytest.mark.parametrize("name", precision.PRECISIONS)
def test_muon_takes_its_steps_in_the_layers_precision(tiny, monkeypatch, name):
    seen = []

    class Noted(Muon):
        def step(self):
            seen.append(self.dtype)
            super().step()

    monkeypatch.setattr("macode_plugin.rates.Muon", Noted)
    tiny(precision=name).fit(dependent())
    assert set(seen) == {getattr(torch, name)}


def test_rows_are_drawn_from_about_the_same_distributions_in_either_precision(tiny):
    model = fitted(tiny, precision="bfloat16")
    tokens = torch.from_numpy(model.table_.encode(dependent()))
    probabilities = {}
    for in_16 in (True, False):
        model.network_.bfloat16_products = in_16
        decoder, heads = model.network_.decoder(len(tokens)), model.network_.heads.frozen(1.0, {})
        found = []
        with torch.no_grad():
            for j in range(tokens.shape[1]):
                column = torch.full((len(tokens),), j)
                [(_, logits, _)] = heads.logits(decoder.query(column), column)
                found.append(logits.softmax(dim=1))
                decoder.reveal(column, tokens[:, j])
        probabilities[in_16] = torch.cat(found, dim=1)
    difference = (probabilities[True] - probabilities[False]).abs().max()
    assert 0 < difference < 0.01
    assert probabilities[False].std(dim=0).max() > 0.2, "rows differ by much more"


def test_a_model_goes_on_in_the_precision_of_the_processor_that_reads_it(tiny, bfloat16_here, tmp_path):
    model = fitted(tiny)
    model.save(tmp_path / "model.macode")
    pickled = pickle.dumps(model)
    precision.CPUINFO.write_text("flags\t\t: avx2\n")
    precision.multiplies_bfloat16.cache_clear()
    for twin in (MaCoDE.load(tmp_path / "model.macode"), pickle.loads(pickled)):
        assert (model.network_.bfloat16_products, twin.network_.bfloat16_products) == (True, False)
        assert (twin.log_prob(dependent()) == model.log_prob(dependent())).all()


def test_what_is_learned_in_bfloat16_is_kept_in_float32_and_so_are_likelihoods(tiny):
    model = fitted(tiny, precision="bfloat16")
    assert {weight.dtype for weight in model.network_.parameters()} == {torch.float32}
    twin = fitted(tiny, precision="float32")
    twin.network_.load_state_dict(model.network_.state_dict())
    assert (model.log_prob(dependent()) == twin.log_prob(dependent())).all()


def test_the_published_network_refuses_bfloat16(tiny):
    with pytest.raises(ValueError, match=r"network='masked'.*precision='bfloat16'"):
        tiny(network="masked", precision="bfloat16").fit(dependent())
    assert MaCoDE.paper().precision == "float32"
