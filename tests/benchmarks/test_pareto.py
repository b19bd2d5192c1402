"""The figure of quality against seconds of fitting."""

import numpy as np
import pandas as pd
from benchmark_runs import MEASURES, made_up

from benchmarks import pareto


def runs(peer, tables, **columns):
    parts = made_up(tables, MEASURES, **columns).drop(columns="model")
    return parts.assign(peer=peer)


def drawn(tmp_path, *parts):
    """Return the texts of the figure, which its file holds as comments."""
    path = tmp_path / "peers.svg"
    pareto.draw(pd.concat(parts, ignore_index=True), path)
    text = path.read_text(encoding="utf-8")
    return [line.split("<!-- ")[1].split(" -->")[0] for line in text.splitlines() if "<!-- " in line]


def test_peers_are_named_on_each_plot(tmp_path):
    texts = drawn(tmp_path, runs("macode", ["loan"]), runs("ctgan", ["loan"]))
    assert texts.count("macode") == texts.count("ctgan") == 3
    assert "F1, higher is better" in texts


def test_only_tables_that_all_were_run_on_are_compared(tmp_path):
    parts = [runs("macode", ["loan", "breast"]), runs("ctgan", ["loan"]), runs("tvae", ["loan"])]
    texts = drawn(tmp_path, *parts)
    assert texts.count("tvae") == 3
    assert any(text.startswith("means over loan; threads: 1") for text in texts)


def test_threads_are_not_mixed(tmp_path):
    parts = [
        runs("macode", ["loan"], threads=2),
        runs("ctgan", ["loan"], threads=1),
        runs("tvae", ["loan"], threads=2),
    ]
    texts = drawn(tmp_path, *parts)
    assert "ctgan" not in texts
    assert any("threads: 2;" in text for text in texts)


def test_what_was_not_measured_is_not_drawn(tmp_path):
    texts = drawn(tmp_path, runs("macode", ["loan"]), runs("ctgan", ["loan"], f1=np.nan))
    assert texts.count("ctgan") == 2


def test_a_peer_run_on_one_table_does_not_hide_the_others_tables(tmp_path):
    three = ["loan", "breast", "kings"]
    texts = drawn(tmp_path, runs("macode", three), runs("ctgan", three), runs("tvae", ["loan"]))
    assert texts.count("ctgan") == 3
    assert "tvae" not in texts
    assert any(text.startswith("means over breast, kings, loan;") for text in texts)
