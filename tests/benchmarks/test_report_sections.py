"""Sections of RESULTS.md that come from a results file each."""

import shlex

import pandas as pd
import pytest
from benchmark_runs import ORIGIN, write_report

from benchmarks import report


def rows(*cells):
    return pd.DataFrame([{**row, **ORIGIN} for row in cells])


def splits(seeds=(0, 1), **cells):
    return [
        {"table": "breast", "seed": s, "max_rows": None, "epochs": 3, "column": "x", **cells}
        for s in seeds
    ]


SCORES = {
    "diagnostic": 1.0,
    "quality": 0.9,
    "column_shapes": 0.8,
    "column_pair_trends": 0.7,
    "quality_held_out": 0.6,
    "fit_s": 2.0,
    "sample_s": 1.0,
}
REPORTED = {"table": "breast", "sdv": "9.9", "max_rows": None, "epochs": None, **SCORES}
KNOWN = {"asked": 9, "got": 2, "s": 1.5, "epochs": 3, "tries": 7, "sdv": "9.9"}
RARE = {
    **{"rule": "rare", "training_rows": 99, "asked": 9, "patience": 5},
    **{"got": 2, "s": 1.5, "synthcity": "9.9"},
}

HOSTED = {"table": "breast", "max_rows": 99, "repeats": 2, "synthcity": "9.9"}

FILES = {
    "calibration": (
        rows(*splits(model="default", level=50, claimed=0.5, covered=0.47, width=1.0)),
        ["| breast (3 epochs) | 50 % | 0.500 | 0.470 | -0.030 to -0.030 |", "--seeds 0,1 --epochs 3"],
    ),
    "prediction": (
        rows(*splits(model="macode", r2=0.75), *splits(model="forest", r2=0.5)).assign(
            accuracy=None, log_loss=None
        ),
        ["| breast (3 epochs) | x | R² | 0.750 ± 0.000 (2) | 0.500 ± 0.000 (2) |"],
    ),
    "anomaly": (
        rows(*splits(model="macode", auc=0.9), *splits(seeds=[0], model="isolation forest", auc=0.8)),
        [
            "| macode (3 epochs) | 0.900 ± 0.000 (2) |",
            "| isolation forest (3 epochs) | 0.800 (1) |",
            "--seeds 0,1 --epochs 3",
        ],
    ),
    "synthcity": (
        rows(
            *({**HOSTED, "plugin": "ddpm", "n_iter": 7, "measure": m, "mean": 0.5} for m in "xy"),
            {**HOSTED, "plugin": "macode", "n_iter": None, "measure": "x", "mean": 0.25},
        ),
        [
            "| Measure | ddpm (7 iterations) | macode |",
            "| x | 0.5 | 0.25 |",
            "| y | 0.5 | n/a |",
            "--plugins ddpm --n-iter 7 --max-rows 99 --repeats 2",
            "--plugins macode --max-rows 99 --repeats 2",
            "synthcity 9.9",
        ],
    ),
    "rare_conditions": (
        rows(
            {"plugin": "macode", "n_iter": None, **RARE},
            {"plugin": "ctgan", "n_iter": 7, **RARE},
        ),
        [
            "| macode | rare | 9 | 2 | 1.50 |",
            "| ctgan (7 iterations) | rare | 9 | 2 | 1.50 |",
            "--plugins macode,ctgan --n 9 --training-rows 99 --patience 5 --n-iter 7\n",
        ],
    ),
    "sdv": (
        rows(
            *({**REPORTED, "synthesizer": "MaCoDE", "seed": s} for s in (0, 1)),
            {**REPORTED, "synthesizer": "CTGAN", "seed": 0, "max_rows": 99, "epochs": 3},
        ),
        [
            "| breast | MaCoDE | 1.000 ± 0.000 (2) | 0.900 ± 0.000 (2) |",
            "| breast | CTGAN (99 rows, 3 epochs) | 1.000 (1) | 0.900 (1) |",
            "SDV 9.9",
            "--synthesizers MaCoDE --seeds 0,1\n",
            "--synthesizers CTGAN --seeds 0 --max-rows 99 --epochs 3 --macode-epochs 3\n",
        ],
    ),
    "sdgym": (
        rows(
            {**REPORTED, "synthesizer": "CTGANSynthesizer", "sdgym": "8.8"},
            {**REPORTED, "synthesizer": "MaCoDE", "sdgym": "8.8", "max_rows": 99, "epochs": 3},
        ),
        [
            "| breast | CTGANSynthesizer | 1.000 | 0.900 |",
            "| breast | MaCoDE (99 rows, 3 epochs) | 1.000 | 0.900 |",
            "SDGym 8.8 with SDV 9.9",
            "--synthesizers CTGANSynthesizer\n",
            "--synthesizers MaCoDE --max-rows 99 --epochs 3\n",
        ],
    ),
    "sdv_conditions": (
        rows(
            {"table": "breast", "synthesizer": "CTGAN", "known": "number", **KNOWN},
            {"table": "breast", "synthesizer": "MaCoDE", "known": "number", **KNOWN},
            {"table": "breast", "synthesizer": "MaCoDE", "known": "nothing", **KNOWN},
        ),
        [
            "| CTGAN | number | 9 | 2 | 1.50 |",
            "--n 9 --epochs 3 --tries 7",
            "too slow: CTGAN, nothing, 9.",
        ],
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_section_shows_its_figures_and_where_they_come_from(name, tmp_path):
    results, expected = FILES[name]
    text = write_report(tmp_path, **{name: results})
    for line in expected:
        assert line in text
    assert "2 CPU cores; 2030-01-01; macode-plugin 1.0, torch 1.0" in text
    assert text.count("\n## ") + text.startswith("## ") == 1
    assert "python -m benchmarks." in text


def test_a_half_written_split_shows_what_it_has(tmp_path):
    half = FILES["prediction"][0].query("model == 'macode'")
    assert "| breast (3 epochs) | x | R² | 0.750 ± 0.000 (2) | n/a |" in write_report(
        tmp_path, prediction=half
    )


def test_runs_cut_otherwise_are_kept_apart(tmp_path):
    cut = FILES["calibration"][0]
    whole = cut.assign(epochs=None, covered=0.6)
    text = write_report(tmp_path, calibration=pd.concat([cut, whole]))
    assert "| breast (3 epochs) | 50 % | 0.500 | 0.470 |" in text
    assert "| breast | 50 % | 0.500 | 0.600 |" in text
    assert "--seeds 0,1 --epochs 3\n" in text
    assert "--seeds 0,1\n" in text


@pytest.mark.parametrize(
    "name", ["calibration", "prediction", "synthcity", "sdv", "sdgym", "sdv_conditions"]
)
def test_a_command_asks_for_a_table_of_any_name(name, tmp_path):
    table = "file:my houses.csv#price class"
    text = write_report(tmp_path, **{name: FILES[name][0].assign(table=table)})
    calls = [line for line in text.splitlines() if line.startswith("python -m")]
    assert calls
    assert all(table in shlex.split(call) for call in calls)


def test_a_folder_without_results_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=tmp_path.name):
        report.main(folder=tmp_path, out=tmp_path / "RESULTS.md")
