"""Peers side by side: MaCoDE itself in miniature, stand-ins for everybody else."""

import dataclasses
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer
from benchmark_runs import MEASURES, ORIGIN, assert_refused, call, lines_of

pytest.importorskip("geomloss", reason="the bench extra is not installed")

import peer_stand_ins

import macode_plugin
from benchmarks import data, ledger, options, peer_environments, peers, q1

CUT = {"tables": "breast", "max_rows": 200}

QUALITY = q1.quality


@pytest.fixture
def stand_ins(monkeypatch, tmp_path):
    """Peers that do as they are called, and a measure that takes no time."""
    for name in peer_stand_ins.BODIES:
        monkeypatch.setitem(peers.PEERS, name, peer_stand_ins.write(name, tmp_path))
    seen = []
    figures = dict.fromkeys(MEASURES, 0.5)
    monkeypatch.setattr(q1, "quality", lambda comparison: seen.append(comparison) or figures)
    return seen


@pytest.fixture
def run(stand_ins, tmp_path):
    """A function that runs stand-ins and returns the rows of the file."""

    def run(names, seeds="0", **settings):
        out, plot = (tmp_path / f"peers.{end}" for end in ("csv", "svg"))
        settings = {**CUT, "environments": tmp_path / "env", "plot": plot, **settings}
        peers.main(**settings, peers=names, seeds=seeds, out=out)
        return pd.read_csv(out)

    return run


@pytest.fixture
def folder(tmp_path):
    """A folder with a small table under the name of a real one."""
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 2, 300)
    frame = pd.DataFrame({"x": rng.normal(size=300) + kind, "y": rng.normal(size=300), "class": kind})
    frame.to_parquet(tmp_path / "banknote.parquet")
    return tmp_path


def test_macode_takes_part_as_itself(run, stand_ins):
    (row,) = run("macode", epochs=2).to_dict("records")
    assert (row["table"], row["peer"], row["seed"], row["threads"]) == ("breast", "macode", 0, 1)
    assert (row["max_rows"], row["epochs"], row["n_train"], row["n_columns"]) == (200, 2, 160, 31)
    assert row["fit_s"] > 0
    assert row["sample_s"] > 0
    installed = importlib.metadata.version("torch")  # without the build, which torch itself may add
    assert row["packages"].startswith(f"macode-plugin {macode_plugin.__version__}, torch {installed}")
    assert set(ORIGIN) < set(row)

    table = data.load("breast", max_rows=200)
    train, _ = data.split(table.frame, 0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        model = options.model(0, 2).fit(train, categorical_columns=table.categorical)
        expected = model.sample(len(train), random_state=0)
    finally:
        torch.set_num_threads(threads)
    (comparison,) = stand_ins
    pd.testing.assert_frame_equal(comparison.synthetic, data.code(table, expected))


def test_each_run_is_a_row_with_every_measure(run, monkeypatch, folder):
    monkeypatch.setattr(q1, "quality", QUALITY)
    (row,) = run("copier", tables="banknote", data_dir=folder).to_dict("records")
    assert all(np.isfinite(row[name]) for name in MEASURES)
    assert row["kl"] == 0  # as its draws are the training rows


def test_peers_learn_from_the_rows_of_the_split(run, stand_ins):
    rows = run("copier", seeds="0,3")
    assert rows["seed"].tolist() == [0, 3]
    table = data.load("breast", max_rows=200)
    for comparison, seed in zip(stand_ins, (0, 3)):
        train, test = (data.code(table, frame) for frame in data.split(table.frame, seed))
        pd.testing.assert_frame_equal(comparison.synthetic, train)
        pd.testing.assert_frame_equal(comparison.train, train)
        pd.testing.assert_frame_equal(comparison.test, test)


def test_a_failing_peer_is_told_of_and_stops_no_other(run, capsys, tmp_path, monkeypatch):
    with pytest.raises(typer.Exit) as ended:
        run("failing,copier", seeds="0,1")
    assert ended.value.exit_code == 1
    assert pd.read_csv(tmp_path / "peers.csv")["peer"].tolist() == ["copier", "copier"]
    told = lines_of(capsys.readouterr().out, "breast, failing")
    assert [line.split(" (log")[0] for line in told] == [
        f"breast, failing, seed {seed}: ended with status 1: ValueError: no luck with seed {seed}"
        for seed in (0, 1)
    ]
    log = Path(told[1].split("(log: ")[1].rstrip(")"))
    assert "Traceback" in log.read_text()

    # It is tried again, and alone: the rows of the others are there.
    monkeypatch.setitem(peers.PEERS, "failing", peers.PEERS["copier"])
    assert run("failing,copier", seeds="0,1")["peer"].tolist() == [*["copier"] * 2, *["failing"] * 2]


def test_a_finished_run_is_not_run_again(run, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "prepare", lambda *a: Path(sys.executable))
    script = peers.PEERS["copier"].script
    monkeypatch.setitem(peers.PEERS, "stranger", peers.Peer(script, "ctgan"))
    run("stranger", threads=2)
    before = (tmp_path / "peers.csv").read_bytes()
    # Nor is an environment made that nobody will use.
    monkeypatch.setattr(peers, "prepare", lambda *a: pytest.fail("was made"))
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("was run"))
    run("stranger", threads=2)
    assert (tmp_path / "peers.csv").read_bytes() == before


def test_threads_are_handed_on_and_are_part_of_the_run(run):
    run("copier", threads=3)
    rows = run("copier", threads=5)
    assert rows["threads"].tolist() == [3, 5]
    for row in rows.itertuples():
        for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "LOKY_MAX_CPU_COUNT"):
            assert f"{name}={row.threads}" in row.packages


@pytest.mark.parametrize(
    ("peer", "problem"),
    [
        ("short", "asked for 160 rows, got 159"),
        ("forgetful", "cells missing in ['mean radius']"),
        (
            "inventing",
            "what it drew cannot be measured: column 'Diagnosis' of breast has no such category",
        ),
        ("own-columns", "ended with status 1: KeyError: "),
    ],
)
def test_what_cannot_be_measured_is_a_failure(run, peer, problem, capsys, tmp_path):
    with pytest.raises(typer.Exit):
        run(f"copier,{peer}")
    assert pd.read_csv(tmp_path / "peers.csv")["peer"].tolist() == ["copier"]
    (told,) = lines_of(capsys.readouterr().out, f"breast, {peer}, seed 0: ")
    assert problem in told


def test_categories_drawn_as_text_are_numbers_again(run, stand_ins, folder):
    run("wordy", tables="banknote", data_dir=folder)
    (comparison,) = stand_ins
    pd.testing.assert_frame_equal(comparison.synthetic, comparison.train)


def test_memory_is_the_peers_own(run):
    # This process is far above the limit: getrusage would say so of any process it starts.
    peak = run("copier,hungry").set_index("peer")["peak_mib"]
    assert 20 < peak["copier"] < 300
    assert peak["hungry"] > peak["copier"] + 250


def test_what_a_peer_is_killed_by_is_told(run, capsys, tmp_path):
    with pytest.raises(typer.Exit):
        run("killed")
    assert "status -9: nothing in its log" in capsys.readouterr().out
    assert not (tmp_path / "peers.csv").exists()


def test_peers_of_an_environment_that_fails_are_left_out(run, capsys, tmp_path, monkeypatch):
    def fail(name, folder, say):
        raise peer_environments.EnvironmentFailed(f"{name} was not installed: no network")

    monkeypatch.setattr(peers, "prepare", fail)
    with pytest.raises(typer.Exit):
        run("ctgan,tvae,copier")
    assert pd.read_csv(tmp_path / "peers.csv")["peer"].tolist() == ["copier"]
    told = capsys.readouterr().out
    assert lines_of(told, "ctgan") == ["ctgan was not installed: no network"]
    assert lines_of(told, "breast, tvae") == ["breast, tvae, seed 0: its environment ctgan was not made"]


def test_packages_of_this_process_are_lent_to_macode_alone(run, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setattr(peers, "prepare", lambda *a: Path(sys.executable))
    script = peers.PEERS["copier"].script
    monkeypatch.setitem(peers.PEERS, "stranger", peers.Peer(script, "ctgan"))
    packages = run("copier,stranger").set_index("peer")["packages"]
    assert f"PYTHONPATH={Path(peers.__file__).parents[1]}," in packages["copier"]
    assert "PYTHONPATH=None," in packages["stranger"]


def test_a_run_that_differs_in_one_setting_is_another_run(tmp_path):
    run = peers.Run("breast", "ctgan", 0, 1, 200, 2)
    others = [
        dataclasses.replace(run, **{name: "other" if isinstance(value, str) else value + 1})
        for name, value in dataclasses.asdict(run).items()
    ]
    cuts = [dataclasses.replace(run, max_rows=None), dataclasses.replace(run, epochs=None)]
    runs = [run, *others, *cuts]
    for one in runs:
        ledger.append(tmp_path / "peers.csv", one, {"kl": 0.5})
    assert ledger.finished(tmp_path / "peers.csv", peers.Run) == set(runs)
    assert len(set(runs)) == 9


def test_epochs_are_no_setting_of_a_peer_without_them(run, monkeypatch):
    script = peers.PEERS["copier"].script
    monkeypatch.setitem(peers.PEERS, "forest", peers.Peer(script, None, has_epochs=False))
    rows = run("copier,forest", epochs=7)
    assert rows["epochs"].tolist()[:1] == [7]
    assert rows["epochs"].isna().tolist() == [False, True]


def test_wrong_names_are_refused_before_anything_is_made(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "prepare", lambda *a: pytest.fail("was made"))
    out = tmp_path / "peers.csv"
    problem = r"peer must be one of .*however: \['gan'\]"
    assert_refused(peers.main, problem, out, tables="breast", peers="ctgan,gan")
    assert_refused(peers.main, "--data-dir", out, tables="breast,abalone", peers="ctgan")


def test_the_command_line_takes_the_settings_it_names(run, tmp_path):
    out = tmp_path / "peers.csv"
    line = "--tables breast --peers copier --seeds 4 --threads 2 --max-rows 200 --epochs 3"
    plot = tmp_path / "peers.svg"
    call(peers.main, f"{line} --environments {tmp_path / 'env'} --out {out} --plot {plot}")
    assert plot.exists()
    assert ledger.finished(out, peers.Run) == {peers.Run("breast", "copier", 4, 2, 200, 3)}


@pytest.mark.slow
@pytest.mark.parametrize("peer", [name for name, peer in peers.PEERS.items() if peer.environment])
def test_a_real_peer_takes_part(peer, folder):
    """Installs several GB from the network, unless PEER_ENVIRONMENTS names a folder that has them."""
    environments = Path(os.environ.get("PEER_ENVIRONMENTS", folder / "environments"))
    out = folder / "peers.csv"
    settings = {"data_dir": folder, "epochs": 3, "environments": environments, "out": out}
    settings["plot"] = folder / "peers.svg"
    peers.main(tables="banknote", peers=peer, **settings)
    (row,) = pd.read_csv(out).to_dict("records")
    assert row["n_train"] == 240
    assert row["fit_s"] > 0
    assert all(np.isfinite(row[name]) for name in ("kl", "smape", "f1", "detector_auc"))
