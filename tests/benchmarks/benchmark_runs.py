"""What several tests of the benchmarks share: calls, made-up results, the report of some."""

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import report

MEASURES = [
    *("kl", "gof", "mmd", "wd", "smape", "f1", "model_selection", "feature_selection"),
    *("detector_auc", "nearest_record_share"),
]
"""The measures of question 1."""

ORIGIN = {
    **{"threads": 1, "machine": "2 CPU cores", "date": "2030-01-01"},
    **dict.fromkeys(("macode_plugin", "torch", "numpy", "pandas", "scikit_learn"), "1.0"),
}
"""The columns that tell where a row of results comes from."""


def call(main, line):
    """Call a benchmark as the command line does."""
    app = typer.Typer()
    app.command()(main)
    outcome = CliRunner().invoke(app, line.split())
    assert outcome.exit_code == 0, outcome.output


def made_up(tables, measures, **columns):
    """Return results of three seeds a table, every measure 0.25, 0.5 and 0.75."""
    return pd.DataFrame(
        {
            **{"table": table, "model": "macode", "seed": seed, "max_rows": np.nan, "epochs": np.nan},
            **{"fit_s": 10.0 + seed, "epochs_run": 7.0},
            **dict.fromkeys(measures, 0.25 + seed / 4),
            **ORIGIN,
            **columns,
        }
        for table in tables
        for seed in range(3)
    )


def write_report(folder, **results):
    """Return the report of some results, by the name of their file."""
    for name, rows in results.items():
        rows.to_csv(folder / f"{name}.csv", index=False)
    out = folder / "RESULTS.md"
    report.main(folder=folder, out=out)
    return out.read_text(encoding="utf-8")


def lines_of(text, start):
    """Return the lines that start so."""
    return [line for line in text.splitlines() if line.startswith(start)]


def calls_of(text, benchmark):
    """Return what follows the option of tables in every call that a report has, all of a benchmark."""
    start = f"python -m benchmarks.{benchmark} --data-dir DIR --tables "
    calls = lines_of(text, "python")
    assert all(call.startswith(start) for call in calls), calls
    return [call[len(start) :] for call in calls]


def assert_refused(main, problem, out, **settings):
    """Check that a benchmark refuses settings with an error of this problem, before any run."""
    with pytest.raises(ValueError, match=problem):
        main(**settings, out=out)
    assert not out.exists()


def half_written(path, folder, absent):
    """Return a copy of a file of results that lacks some rows, as one of a benchmark cut short."""
    header, *rows = path.read_text().splitlines(keepends=True)
    copy = folder / path.name
    copy.write_text(header + "".join(row for k, row in enumerate(rows) if k not in absent))
    return copy


def assert_completed(path, whole, key):
    """Check that a resumed file has the rows of one written at once, each once."""
    frames = (pd.read_csv(one).drop(columns="date") for one in (path, whole))
    resumed, expected = (frame.sort_values(key, ignore_index=True) for frame in frames)
    pd.testing.assert_frame_equal(resumed, expected)
