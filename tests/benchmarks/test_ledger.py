"""The file of results: what is in it is not run again, and nothing else is left out."""

import csv
import dataclasses
import subprocess

import pytest

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import ablation, calibration, ledger, prediction, q2, q3

CUTS = {"max_rows": 200, "epochs": 2}
RUNS = [
    ledger.Run("breast", "default", 0, **CUTS),
    q2.Run("breast", "MCAR", "macode", 0, **CUTS),
    q3.Run("breast", "MCAR", "macode", 0, 100, **CUTS),
    ablation.Trial("breast", "default", 0, **CUTS),
    prediction.PredictionRun("breast", "forest", 0, **CUTS, column="x"),
    calibration.CalibrationRun("breast", "default", 0, **CUTS, column="x", level=50),
]
COLUMNS = [
    "table,model,seed,max_rows,epochs",
    "table,mechanism,model,seed,max_rows,epochs",
    "table,mechanism,model,seed,m,max_rows,epochs",
    "table,change,seed,max_rows,epochs",
    "table,model,seed,max_rows,epochs,column",
    "table,model,seed,max_rows,epochs,column,level",
]


def kind(run):
    return f"{type(run).__module__}.{type(run).__name__}"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "new" / "results.csv"


def keys(path):
    with path.open(newline="") as file:
        return [row["seed"] for row in csv.DictReader(file)]


@pytest.mark.parametrize("run", RUNS, ids=kind)
def test_a_run_that_differs_in_one_setting_is_another_run(run, path):
    runs = [run, dataclasses.replace(run, max_rows=None), dataclasses.replace(run, epochs=None)]
    for name, value in dataclasses.asdict(run).items():
        other = f"{value}, too" if isinstance(value, str) else value + 1
        runs.append(dataclasses.replace(run, **{name: other}))
    for count, written in enumerate(runs, start=1):
        ledger.append(path, written, {"kl": 0.5})
        assert ledger.finished(path, type(run)) == set(runs[:count])


@pytest.mark.parametrize(("run", "columns"), list(zip(RUNS, COLUMNS)), ids=map(kind, RUNS))
def test_files_keep_the_order_of_their_columns(run, columns, path):
    ledger.append(path, run, {"kl": 0.5})
    assert path.read_text().splitlines()[0] == f"{columns},kl"


class Stopped(Exception):
    """Stands in for Ctrl-C, at which pytest itself would stop."""


def test_work_goes_on_where_it_stopped(path):
    runs = [ledger.Run("breast", "default", seed) for seed in range(4)]
    measured = []

    def measure(run):
        measured.append(run)
        return {"kl": 0.5}

    def stop(run):
        if run.seed == 2:
            raise Stopped
        return measure(run)

    with pytest.raises(Stopped):
        ledger.work_through(path, runs, stop)
    before = path.read_bytes()
    ledger.work_through(path, runs, measure)
    assert measured == runs
    assert path.read_bytes().startswith(before)
    assert keys(path) == ["0", "1", "2", "3"]


def test_a_run_asked_for_twice_is_run_once(path):
    ledger.work_through(path, [ledger.Run("breast", "default", 3)] * 2, lambda run: {"kl": 0.5})
    assert keys(path) == ["3"]


def test_a_row_tells_its_origin_and_further_versions(path):
    ledger.work_through(path, RUNS[:1], lambda run: {"kl": 0.5}, sdv="9.9")
    with path.open(newline="") as file:
        (row,) = csv.DictReader(file)
    names = [*dataclasses.asdict(RUNS[0]), "kl", *ledger.environment(), "sdv"]
    assert list(row) == names
    assert all(row.values())
    assert row["sdv"] == "9.9"


def test_what_is_measured_is_told(path, capsys):
    ledger.work_through(path, RUNS[2:3], lambda run: {"bias": 0.5})
    told = "breast, MCAR, macode, seed 0, m 100, max_rows 200, epochs 2"
    assert told in capsys.readouterr().err


def test_a_file_with_other_figures_is_left_alone(path):
    ledger.append(path, RUNS[0], {"kl": 0.5})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="gof"):
        ledger.append(path, RUNS[0], {"kl": 0.5, "gof": 0.5})
    assert path.read_bytes() == before


def test_a_file_of_other_runs_is_refused_before_any_run(path):
    ledger.append(path, RUNS[0], {"kl": 0.5})
    with pytest.raises(ValueError, match=r"however: \['mechanism', 'm'\] are absent"):
        ledger.work_through(path, [RUNS[2]], lambda run: pytest.fail("was run"))


def test_a_run_of_several_rows_is_one_run(path):
    run = RUNS[0]
    found = [{"measure": name, "mean": 0.5} for name in "xy"]
    for _ in range(2):
        ledger.work_through(path, [run], lambda _: found)
    with path.open(newline="") as file:
        assert [row["measure"] for row in csv.DictReader(file)] == ["x", "y"]
    assert ledger.finished(path) == {run}


def git(folder, *words):
    own = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    ended = subprocess.run(["git", "-C", str(folder), *own, *words], capture_output=True, check=True)
    return ended.stdout.decode().strip()


def test_the_version_tells_the_commit_that_last_changed_the_package(tmp_path, monkeypatch):
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    monkeypatch.setattr(ledger.macode_plugin, "__file__", str(package / "__init__.py"))
    version = ledger._package_version.__wrapped__
    plain = ledger.macode_plugin.__version__
    assert version() == plain
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "package")
    commit = git(tmp_path, "log", "-1", "--format=%h")
    (tmp_path / "results.csv").write_text("kl")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "results")
    assert version() == f"{plain}+{commit}"
    (package / "__init__.py").write_text("changed")
    assert version() == f"{plain}+{commit}.changed"


def test_a_run_that_measured_nothing_is_named_and_not_taken_for_finished(path):
    with pytest.raises(ValueError, match=r"breast, default, seed 0, .*: nothing was measured"):
        ledger.work_through(path, RUNS[:1], lambda run: [])
    assert ledger.finished(path) == set()
