"""Model files: saved equals loaded, damage is noticed, and nothing in a file is ever executed."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from tables import mixed_table

from macode_plugin import MaCoDE, ModelFileError, storage


@pytest.fixture(scope="module")
def saved(mixed_model, tmp_path_factory) -> Path:
    """A file of the model of the mixed table."""
    path = tmp_path_factory.mktemp("models") / "mixed.macode"
    mixed_model.save(path)
    return path


def small_model(tiny, **changes):
    return tiny(**changes).fit(mixed_table()[["int", "str_na", "price", "ordered"]])


def test_a_loaded_model_draws_what_the_saved_one_draws(saved, mixed_model):
    loaded = MaCoDE.load(saved)
    pd.testing.assert_frame_equal(
        loaded.sample(200, random_state=1), mixed_model.sample(200, random_state=1), check_exact=True
    )


@pytest.mark.parametrize("missing", ["mask", "model"])
def test_a_loaded_model_continues_the_series_of_draws(form, missing, tiny, tmp_path):
    model = small_model(tiny, network=form, missing=missing)
    model.sample(10)
    model.save(tmp_path / "model")
    loaded = MaCoDE.load(tmp_path / "model")
    for _ in range(2):
        pd.testing.assert_frame_equal(loaded.sample(100), model.sample(100), check_exact=True)


def test_everything_about_a_model_is_kept(saved, mixed_model):
    loaded = MaCoDE.load(saved)
    assert loaded.get_params() == mixed_model.get_params()
    pd.testing.assert_frame_equal(pd.DataFrame(loaded.history_), pd.DataFrame(mixed_model.history_))
    assert loaded.n_features_in_ == mixed_model.n_features_in_
    assert loaded.feature_names_in_.tolist() == mixed_model.feature_names_in_.tolist()
    mine, its = mixed_model.network_.state_dict(), loaded.network_.state_dict()
    assert mine.keys() == its.keys()
    assert all(torch.equal(mine[name], its[name]) for name in mine)


def same_content(one, other):
    """Tell whether two files hold the same; the order within a header is not fixed."""
    (description, tensors), (again, its) = (storage.read(path, "model") for path in (one, other))
    same = all(torch.equal(tensors[name], its[name]) for name in tensors)
    return json.dumps(description) == json.dumps(again) and tensors.keys() == its.keys() and same


def test_a_loaded_models_file_holds_the_same(saved, tmp_path):
    loaded = MaCoDE.load(saved)
    loaded.save(tmp_path / "again")
    assert same_content(tmp_path / "again", saved)
    loaded.sample(1)
    loaded.save(tmp_path / "again")
    assert not same_content(tmp_path / "again", saved), "where the series of draws stands is not kept"


def test_conditions_work_on_a_loaded_model(saved, mixed):
    given = mixed[["ordered", "datetime_tz"]].head(9)
    drawn = MaCoDE.load(saved).sample(conditions=given, random_state=0)
    pd.testing.assert_frame_equal(drawn[["ordered", "datetime_tz"]], given)


def test_parameters_changed_after_fit_do_not_spoil_the_file(tiny, tmp_path):
    model = small_model(tiny)
    before = model.sample(20, random_state=0)
    model.set_params(width=32, n_layers=2, network="masked")
    pd.testing.assert_frame_equal(model.sample(20, random_state=0), before)
    model.save(tmp_path / "model")
    pd.testing.assert_frame_equal(MaCoDE.load(tmp_path / "model").sample(20, random_state=0), before)


def test_numpy_parameters_can_be_saved(tiny, tmp_path):
    model = small_model(tiny, width=np.int64(16), lr=np.float32(1e-3), random_state=np.int64(3))
    model.save(tmp_path / "model")
    assert MaCoDE.load(tmp_path / "model").width == 16


def test_a_model_with_a_torch_device_can_be_saved(tiny, tmp_path):
    model = small_model(tiny, device=torch.device("cpu"))
    model.save(tmp_path / "model")
    assert MaCoDE.load(tmp_path / "model").device == "cpu"


ODD_VALUES = {
    "bytes": [b"a", b"b"],
    "a class of one's own": [Path("a"), Path("b")],
}


@pytest.mark.parametrize("name", ODD_VALUES)
def test_what_cannot_be_saved_is_refused_before_training(name, tiny):
    frame = pd.DataFrame({"odd": ODD_VALUES[name] * 20, "x": range(40)})
    with pytest.raises(TypeError, match="'odd'"):
        tiny().fit(frame)


NOT_STORED = {
    "a zone without a name": pd.date_range("2020", periods=40, tz=dateutil.tz.tzoffset(None, 7200)),
    "an offset with its own name": pd.date_range(
        "2020", periods=40, tz=dateutil.tz.tzoffset("here", 7200)
    ),
    "declared bytes": pd.Categorical([b"a", b"b"] * 20),
}


@pytest.mark.parametrize("name", NOT_STORED)
def test_a_dtype_that_cannot_be_saved_is_refused_before_training(name, tiny):
    with pytest.raises(TypeError, match="'odd' cannot be stored"):
        tiny().fit(pd.DataFrame({"odd": NOT_STORED[name], "x": range(40)}))


def test_a_label_that_cannot_be_saved_is_refused_before_training(tiny):
    with pytest.raises(TypeError, match=r"b'odd' cannot be stored"):
        tiny().fit(pd.DataFrame({b"odd": range(40)}))


@pytest.mark.parametrize("fill", [0.0, np.nan])
def test_sparse_columns_come_back(fill, tiny, tmp_path):
    values = np.where(np.arange(40) % 4, fill, 1.5)
    dtype = pd.SparseDtype("float64", fill)
    model = tiny().fit(pd.DataFrame({"s": pd.Series(values).astype(dtype), "x": range(40)}))
    model.save(tmp_path / "model")
    drawn = MaCoDE.load(tmp_path / "model").sample(5, random_state=0)
    assert drawn["s"].dtype == dtype
    pd.testing.assert_frame_equal(drawn, model.sample(5, random_state=0))


def test_a_file_loads_in_another_process(saved, mixed_model, tmp_path):
    program = (
        "import sys; from macode_plugin import MaCoDE; "
        "MaCoDE.load(sys.argv[1]).sample(30, random_state=5).to_pickle(sys.argv[2])"
    )
    drawn = tmp_path / "drawn.pickle"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, saved, drawn]
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
    pd.testing.assert_frame_equal(pd.read_pickle(drawn), mixed_model.sample(30, random_state=5))


def test_no_code_is_run_on_load(saved, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a pickle was opened")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, refuse)
    assert len(MaCoDE.load(saved).sample(3, random_state=0)) == 3


def test_the_file_is_a_json_header_and_tensors(saved):
    content = saved.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    metadata = header.pop("__metadata__")
    assert metadata["format"] == "macode-model"
    assert json.loads(metadata["description"])["parameters"]["n_bins"] == 10
    assert max(entry["data_offsets"][1] for entry in header.values()) == len(content) - 8 - length


class Bomb:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("write", [torch.save, lambda x, path: path.write_bytes(pickle.dumps(x))])
def test_a_pickle_is_refused_unopened(write, tmp_path):
    path, trace = tmp_path / "model", tmp_path / "exploded"
    write({"network": Bomb(trace)}, path)
    with pytest.raises(ModelFileError):
        MaCoDE.load(path)
    assert not trace.exists()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.6, 0.999])
def test_a_file_cut_short_is_refused(share, saved, tmp_path):
    content = saved.read_bytes()
    (tmp_path / "cut").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelFileError, match=r"cut.*is not a model file, or is cut short"):
        MaCoDE.load(tmp_path / "cut")


def test_a_file_with_something_added_is_refused(saved, tmp_path):
    (tmp_path / "long").write_bytes(saved.read_bytes() + b"\0\0\0\0")
    with pytest.raises(ModelFileError):
        MaCoDE.load(tmp_path / "long")


def test_any_flipped_bit_is_noticed(saved, tmp_path):
    content = saved.read_bytes()
    header = int.from_bytes(content[:8], "little")
    rng = np.random.default_rng(0)
    places = [*range(8), *rng.integers(8, 8 + header, 60), *rng.integers(8 + header, len(content), 20)]
    for place in places:
        flipped = bytearray(content)
        flipped[place] ^= 1 << int(rng.integers(8))
        (tmp_path / "flipped").write_bytes(flipped)
        with pytest.raises(ModelFileError):
            MaCoDE.load(tmp_path / "flipped")


def test_a_flipped_bit_in_a_weight_is_named_an_alteration(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    content[-9] ^= 1
    (tmp_path / "flipped").write_bytes(content)
    with pytest.raises(ModelFileError, match="flipped was altered"):
        MaCoDE.load(tmp_path / "flipped")


def rewritten(path, old, new):
    """Return a file's content with a part of its header replaced by as many bytes."""
    content = path.read_bytes()
    assert len(old) == len(new)
    assert content.count(old) == 1
    return content.replace(old, new)


@pytest.mark.parametrize(
    ("version", "way_out"), [("4", "upgrade macode_plugin"), ("2", "fit the model anew")]
)
def test_a_file_of_another_version_says_what_to_do(version, way_out, saved, tmp_path):
    content = rewritten(saved, b'"version":"3"', f'"version":"{version}"'.encode())
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(ModelFileError, match=rf"version {version}.*{way_out}"):
        MaCoDE.load(tmp_path / "other")


def test_a_checkpoint_is_no_model(tiny, tmp_path):
    path = tmp_path / "run"
    small = mixed_table()[["int", "str"]]
    tiny().fit(small, checkpoint=path, callback=lambda record: True)
    with pytest.raises(ModelFileError, match="run is no macode model"):
        MaCoDE.load(path)


@pytest.mark.parametrize("content", [b"", b"\x08" + bytes(7), b"a,b\n1,2\n", bytes(100)], ids=repr)
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(ModelFileError, match="other"):
        MaCoDE.load(tmp_path / "other")


def test_someone_elses_tensors_are_refused(tmp_path):
    save_file({"weight": torch.zeros(3)}, tmp_path / "other")
    with pytest.raises(ModelFileError, match="other is no macode model"):
        MaCoDE.load(tmp_path / "other")


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        MaCoDE.load(tmp_path / "nowhere")
    with pytest.raises((ModelFileError, IsADirectoryError)):
        MaCoDE.load(tmp_path)


def test_an_old_file_is_replaced_only_by_a_whole_one(saved, mixed_model, tmp_path, monkeypatch):
    path = tmp_path / "model"
    path.write_bytes(b"old")

    def full_disk(tensors, filename, metadata):
        Path(filename).write_bytes(b"half")
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "save_file", full_disk)
        with pytest.raises(OSError, match="no space"):
            mixed_model.save(path)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["model"]
    mixed_model.save(path)
    assert same_content(path, saved)


def test_a_folder_that_does_not_exist_is_named(mixed_model, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no such folder: .*nowhere$"):
        mixed_model.save(tmp_path / "nowhere" / "model")


def test_a_path_may_be_a_string(mixed_model, saved, tmp_path):
    mixed_model.save(str(tmp_path / "model"))
    assert len(MaCoDE.load(str(tmp_path / "model")).sample(2, random_state=0)) == 2


ARRAYS = [np.arange(3), np.zeros((2, 0)), np.float64(2.5), np.arange(6.0)[::2], np.array([True])]


@pytest.mark.parametrize("array", ARRAYS, ids=repr)
def test_arrays_and_descriptions_come_back(array, tmp_path):
    tensors = storage.arrays_to_tensors("table", {"0.x": array})
    description = {"text": "é\n\0", "numbers": [1, 2.5, None, True], "nested": {"a": []}}
    storage.write(tmp_path / "file", "model", description, tensors)
    again, found = storage.read(tmp_path / "file", "model")
    assert again == description
    restored = storage.tensors_under("table", found)["0.x"].numpy()
    np.testing.assert_array_equal(restored, array)
    assert restored.dtype == np.asarray(array).dtype
    assert restored.shape == np.shape(array)
