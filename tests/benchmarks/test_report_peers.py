"""The report's section on MaCoDE beside its peers."""

import numpy as np
import pandas as pd
import pytest
from benchmark_runs import MEASURES, ORIGIN, calls_of, lines_of

from benchmarks import report_peers


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


def test_peers_stand_in_order_whenever_they_were_measured():
    runs = [made_up("tvae"), made_up("macode", table="abalone"), made_up("arf"), made_up("macode")]
    text = report_peers.write(pd.concat(runs, ignore_index=True))
    rows = [
        line.split(" | ")[:2] for line in lines_of(text, "| ") if line.startswith(("| abal", "| breast"))
    ]
    expected = [
        ["| abalone", "macode"],
        ["| breast", "arf"],
        ["| breast", "macode"],
        ["| breast", "tvae"],
    ]
    assert rows == 2 * expected


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
    assert calls_of(text, "peers") == [
        "breast --seeds 0,1 --peers macode --threads 1",
        "breast --seeds 0,1 --peers macode --threads 2",
        "breast --seeds 0,1 --peers arf --threads 1 --max-rows 99 --epochs 3",
    ]
