"""The command line as its tests call it, and the table that they learn."""

from pathlib import Path

import numpy as np
import pandas as pd
from typer.testing import CliRunner

import macode_plugin
from macode_plugin import cli

ROOT = Path(macode_plugin.__file__).parents[1]


def run(*args):
    """Run a command in this process, and return its exit code and what it wrote."""
    return CliRunner().invoke(cli.app, [str(arg) for arg in args])


def ok(*args):
    """Run a command that succeeds, and return what it prints."""
    result = run(*args)
    assert result.exit_code == 0, result.output
    return result.stdout


def error(*args):
    """Run a command that fails, and return the one line that it writes."""
    result = run(*args)
    lines = result.stderr.splitlines()
    assert result.exit_code == 1, result.output
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("macode: error: ")
    assert result.stdout == ""
    return lines[0]


def table(n=80, seed=0):
    """Return a table with a column of every kind that a CSV file can hold."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "dose": rng.normal(10, 2, n).round(1),
            "visits": pd.array(
                np.where(rng.random(n) < 0.2, None, rng.integers(0, 9, n)), dtype="Int64"
            ),
            "grade": np.resize([1, 2, 3], n),
            "kind": np.resize(["a", "b"], n),
            "flag": np.resize([True, False, False], n),
            "day": np.datetime64("2021-01-01") + rng.integers(0, 300, n).astype("timedelta64[D]"),
            "a=b": rng.integers(0, 5, n),
        }
    )
