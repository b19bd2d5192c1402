"""``macode bench``: the page of results in a clone, and what it says elsewhere."""

import subprocess
import sys

import pandas as pd
import pytest
from command_line import ROOT, error, ok, run


@pytest.fixture
def clone(monkeypatch):
    """Work in the root of the repository, on a path that is put back afterwards."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "path", [*sys.path])


@pytest.fixture
def results(tmp_path):
    """A folder of results."""
    settings = {"table": "breast", "model": "macode", "seed": 0, "max_rows": None, "epochs": None}
    origin = {"machine": "2 CPU cores", "date": "2030-01-01"}
    packages = dict.fromkeys(("macode_plugin", "torch", "numpy", "pandas", "scikit_learn"), "1.0")
    figures = {"mechanism": "MAR", "smape": 0.125, "f1": 0.75}
    folder = tmp_path / "results"
    folder.mkdir()
    pd.DataFrame([{**settings, **figures, **origin, **packages}]).to_csv(folder / "q2.csv", index=False)
    return folder


def test_bench_writes_the_page(clone, results, tmp_path):
    out = tmp_path / "page.html"
    said = ok("bench", "--report", "--results", results, "-o", out)
    assert said == f"wrote {out}\n"
    assert "<td>0.125 (1)</td><td>0.750 (1)</td>" in out.read_text(encoding="utf-8")


def test_bench_takes_the_repositorys_own_results(clone, monkeypatch, tmp_path):
    from benchmarks import page

    asked = []
    monkeypatch.setattr(page, "render", lambda folder: asked.append(folder) or "")
    ok("bench", "--report", "-o", tmp_path / "page.html")
    assert asked == [ROOT / "benchmarks" / "results"]


def test_the_script_finds_the_benchmarks_where_it_is_called(results, tmp_path):
    # As an installed script does, this one knows the package and not the folder it is called in.
    script = tmp_path / "macode.py"
    script.write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\nimport macode_plugin.cli as cli\n"
        f"sys.path[:] = [path for path in sys.path if path not in ('', {str(ROOT)!r})]\ncli.main()\n"
    )
    out = tmp_path / "page.html"
    command = [sys.executable, script, "bench", "--report", "--results", results, "-o", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, f"wrote {out}\n"), done.stderr


def test_outside_a_clone_the_way_out_is_named(results, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = error("bench", "--report", "--results", results)
    assert str(tmp_path) in line
    assert "a clone of the repository" in line
    assert not (tmp_path / "report.html").exists()


def test_wrong_folders_are_named(clone, results, tmp_path):
    nowhere = tmp_path / "nowhere"
    out = tmp_path / "page.html"
    assert str(nowhere) in error("bench", "--report", "--results", nowhere, "-o", out)
    beyond = error("bench", "--report", "--results", results, "-o", nowhere / "page.html")
    assert f"no such folder: {nowhere}" in beyond
    assert not out.exists()


def test_bench_has_to_be_told_what_to_do():
    result = run("bench")
    assert result.exit_code == 2
    assert "--report" in result.stderr


def test_help_reads_well_at_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = ok("bench", "--help")
    assert max(map(len, text.splitlines())) <= 80
    assert "macode bench --report\n" in text.split("Options:")[1]
