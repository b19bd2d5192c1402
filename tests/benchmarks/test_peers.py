"""Peers side by side: MaCoDE itself in miniature, stand-ins for everybody else."""

import ast
import dataclasses
import importlib.metadata
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import typer
from benchmark_runs import ORIGIN, call, lines_of

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import data, ledger, options, peer_environments, peers, q1, report_peers

MEASURES = [
    *("kl", "gof", "mmd", "wd", "smape", "f1", "model_selection", "feature_selection"),
    *("detector_auc", "nearest_record_share"),
]
CUT = {"tables": "breast", "max_rows": 200}

QUALITY = q1.quality

# What a script of benchmarks/peer_workers would say in place of these lines is below.
STAND_IN = f"""
import os, sys
sys.path.insert(0, {str(peers.WORKERS)!r})
import numpy as np
import protocol

def fit(train, job):
    {{body}}

told = " ".join(f"{{{{name}}}}={{{{os.environ.get(name)}}}}" for name in {{names}})
protocol.work(fit, "stand-in " + told)
"""
BODIES = {
    "copier": "return lambda n: train.head(n)",
    "failing": "print('stdout is no error'); raise ValueError(f'no luck with seed {job[\"seed\"]}')",
    "short": "return lambda n: train.head(n - 1)",
    "inventing": "return lambda n: train.assign(Diagnosis='unsure')",
    "forgetful": "return lambda n: train.assign(**{'mean radius': np.nan})",
    "wordy": "return lambda n: train.assign(**{'class': train['class'].astype(str)})",
    "hungry": "globals()['kept'] = np.ones(2**20 * 300 // 8); return lambda n: train",
    "own-columns": "return lambda n: train[job['continuous']]",
    "killed": "os.kill(os.getpid(), 9)",
}


@pytest.fixture
def stand_ins(monkeypatch, tmp_path):
    """Peers that do as they are called, and a measure that takes no time."""
    for name, body in BODIES.items():
        script = tmp_path / f"{name}.py"
        script.write_text(STAND_IN.format(body=body, names=(*peers._THREADS, "PYTHONPATH")))
        monkeypatch.setitem(peers.PEERS, name, peers.Peer(str(script), None))
    seen = []
    monkeypatch.setattr(q1, "quality", lambda comparison: seen.append(comparison) or {"kl": 0.5})
    return seen


@pytest.fixture
def run(stand_ins, tmp_path):
    """A function that runs stand-ins and returns the rows of the file."""

    def run(names, seeds="0", **settings):
        out = tmp_path / "peers.csv"
        peers.main(
            **{**CUT, **settings}, peers=names, seeds=seeds, environments=tmp_path / "env", out=out
        )
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
    assert row["packages"].startswith(f"macode-plugin {row['macode_plugin']}, torch {installed}")
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


def test_scripts_of_peers_import_nothing_of_this_project():
    scripts = {peer.script for peer in peers.PEERS.values() if peer.environment is not None}
    for script in [*scripts, "protocol.py"]:
        tree = ast.parse((peers.WORKERS / script).read_text())
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "asname")]
            )
        }
        assert imported
        assert not imported & {"benchmarks", "macode_plugin", "tests"}


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
    with pytest.raises(ValueError, match=r"peer must be one of .*however: \['gan'\]"):
        peers.main(tables="breast", peers="ctgan,gan", out=out)
    with pytest.raises(ValueError, match="--data-dir"):
        peers.main(tables="breast,abalone", peers="ctgan", out=out)
    assert not out.exists()


def test_the_command_line_takes_the_settings_it_names(run, tmp_path):
    out = tmp_path / "peers.csv"
    line = "--tables breast --peers copier --seeds 4 --threads 2 --max-rows 200 --epochs 3"
    call(peers.main, f"{line} --environments {tmp_path / 'env'} --out {out}")
    assert ledger.finished(out, peers.Run) == {peers.Run("breast", "copier", 4, 2, 200, 3)}


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A function that writes an empty package for pip, which has no network, and returns its path."""

    def wheel(name):
        path = tmp_path / f"{name}-1.0-py3-none-any.whl"
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", "")
            archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{about}/RECORD", "")
        return str(path)

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(peer_environments, "_PIP", wheel("no_pip"))
    return wheel


def test_an_environment_is_made_once_and_again_when_its_requirements_change(
    wheels, tmp_path, monkeypatch
):
    home, said = tmp_path / "environments" / "some", []
    absent = str(tmp_path / "absent-1.0-py3-none-any.whl")

    def prepare(*requirements):
        monkeypatch.setitem(peer_environments.REQUIREMENTS, "some", requirements)
        said.clear()
        python = peer_environments.prepare("some", home.parent, said.append)
        return {name: imports(python, name) for name in ("first", "extra")}

    def imports(python, name):
        return subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode == 0

    # What is not needed is taken out again.
    monkeypatch.setitem(peer_environments._REMOVED, "some", ("extra",))
    first = wheels("first")
    assert prepare(first, wheels("extra")) == {"first": True, "extra": False}
    assert first in said[0]
    assert str(home) in said[0]
    assert prepare(first, wheels("extra"))["first"]
    assert not said
    with pytest.raises(peer_environments.EnvironmentFailed, match=r"some was not installed: .*absent"):
        prepare(absent)
    assert absent in said[0]
    assert "absent" in (home / "macode-peer-install.log").read_text()
    assert not (home / "requirements.txt").exists()  # so that it is made again next time


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    kept = tmp_path / "ctgan" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years of work")
    with pytest.raises(peer_environments.EnvironmentFailed, match=r"ctgan.*holds something else"):
        peer_environments.prepare("ctgan", tmp_path, pytest.fail)
    assert kept.read_text() == "years of work"


def test_environments_are_kept_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert peer_environments.default_folder() == tmp_path / "macode_plugin" / "peers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert peer_environments.default_folder() == tmp_path / ".cache" / "macode_plugin" / "peers"


def made_up(peer, seeds=(0, 1), **columns):
    settings = {"table": "breast", "threads": 1, "max_rows": np.nan, "epochs": np.nan}
    effort = {"n_train": 160, "fit_s": 10.0, "sample_s": 2.0, "peak_mib": 500.4}
    told = {"packages": f"{peer} 9.9", **ORIGIN}
    return pd.DataFrame(
        {
            **settings,
            "peer": peer,
            "seed": seed,
            **effort,
            **dict.fromkeys(MEASURES, 0.5),
            **told,
            **columns,
        }
        for seed in seeds
    )


def test_the_report_sets_peers_beside_macode():
    runs = [made_up("macode"), made_up("ctgan", fit_s=25.0, kl=0.25)]
    text = report_peers.write(pd.concat(runs, ignore_index=True))
    quality, effort = lines_of(text, "| breast | ctgan | 1 |")
    assert quality.startswith("| breast | ctgan | 1 | 0.250 ± 0.000 (2) | 0.500 ± 0.000 (2) |")
    assert effort == "| breast | ctgan | 1 | 160 | 25.0 | 2.500 | 80 | 500 |"
    assert lines_of(text, "| breast | macode | 1 | 160 | 10.0 | 1.000 |")
    assert "- ctgan: ctgan 9.9\n" in text
    assert "2 CPU cores; 2030-01-01; macode-plugin 1.0, torch 1.0" in text
    command = "python -m benchmarks.peers --data-dir DIR --tables breast --seeds 0,1"
    assert f"{command} --peers macode,ctgan --threads 1\n" in text


@pytest.mark.parametrize(
    "change", [{"threads": 2}, {"max_rows": 99}, {"epochs": 3}, {"table": "loan"}, {"seeds": [1, 2]}]
)
def test_fitting_times_are_compared_on_the_same_terms_alone(change):
    runs = pd.concat([made_up("macode"), made_up("ctgan", **change)], ignore_index=True)
    row = lines_of(report_peers.write(runs), f"| {change.get('table', 'breast')} | ctgan")[1]
    assert "| 160 | 10.0 | n/a | 80 |" in row


def test_the_report_repeats_each_run_by_its_own_command():
    runs = [made_up("macode"), made_up("macode", threads=2), made_up("arf", max_rows=99, epochs=3)]
    text = report_peers.write(pd.concat(runs, ignore_index=True))
    start = "python -m benchmarks.peers --data-dir DIR --tables breast --seeds 0,1"
    assert [line[len(start) :] for line in lines_of(text, start)] == [
        " --peers macode --threads 1",
        " --peers macode --threads 2",
        " --peers arf --threads 1 --max-rows 99 --epochs 3",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("peer", [name for name, peer in peers.PEERS.items() if peer.environment])
def test_a_real_peer_takes_part(peer, folder):
    """Installs several GB from the network, unless PEER_ENVIRONMENTS names a folder that has them."""
    environments = Path(os.environ.get("PEER_ENVIRONMENTS", folder / "environments"))
    out = folder / "peers.csv"
    settings = {"data_dir": folder, "epochs": 3, "environments": environments, "out": out}
    peers.main(tables="banknote", peers=peer, **settings)
    (row,) = pd.read_csv(out).to_dict("records")
    assert row["n_train"] == 240
    assert row["fit_s"] > 0
    assert all(np.isfinite(row[name]) for name in ("kl", "smape", "f1", "detector_auc"))
