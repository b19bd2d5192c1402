"""MaCoDE beside peers whose dependencies clash: quality, seconds and memory on the same terms.

``python -m benchmarks.peers --tables breast --peers macode,ctgan --seeds 0``

Each peer is fitted in an environment of its own, which is made on first use: pip then downloads
what is announced (``benchmarks.peer_environments``). All get the same training rows and number of
threads, no GPU, and are asked for as many rows as they learned from, each by a script of
``benchmarks/peer_workers`` in a process of its own, MaCoDE as well. What they return is measured
here, as question 1 is.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import pandas as pd
import typer

import macode_plugin
from benchmarks import data, ledger, options, pareto, q1
from benchmarks.peer_environments import (
    EnvironmentFailed,
    clean_variables,
    default_folder,
    last_line,
    prepare,
)

__all__ = ["PEERS", "PLOT", "RESULTS", "Peer", "PeerFailed", "Run", "main"]

RESULTS = ledger.FOLDER / "peers.csv"
PLOT = ledger.FOLDER / "peers.svg"

WORKERS = Path(__file__).parent / "peer_workers"


# What OpenMP, the linear algebra of numpy and torch, numexpr, tokenizers and joblib go by.
_THREADS = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
    *("NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS", "LOKY_MAX_CPU_COUNT"),
)


@dataclasses.dataclass(frozen=True)
class Peer:
    """How a model is run.

    Arguments
    ---------
    script : str
        File name in ``benchmarks/peer_workers``.
    environment : str or None
        One of :data:`benchmarks.peer_environments.REQUIREMENTS`; None for this process's interpreter.
    has_epochs : bool
        Whether it trains for epochs or iterations, whose number may be asked for.
    """

    script: str
    environment: str | None
    has_epochs: bool = True


PEERS = {
    "macode": Peer("run_macode.py", None),
    "macode-paper": Peer("run_macode.py", None),
    "tabularargn": Peer("run_tabularargn.py", "tabularargn"),
    "ctgan": Peer("run_ctgan.py", "ctgan"),
    "tvae": Peer("run_ctgan.py", "ctgan"),
    "authors": Peer("run_authors.py", "authors"),
    "authors-defaults": Peer("run_authors.py", "authors"),
    "arf": Peer("run_synthcity.py", "synthcity", has_epochs=False),
    "ddpm": Peer("run_synthcity.py", "synthcity"),
}


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one row of results from another.

    Arguments
    ---------
    table, peer : str
    seed : int
        Of the split, of fitting and of drawing.
    threads : int
        Threads that the peer may use.
    max_rows, epochs : int or None
        Cuts as those of :class:`benchmarks.ledger.Run`.
    """

    table: str
    peer: str
    seed: int
    threads: int
    max_rows: int | None = None
    epochs: int | None = None


class PeerFailed(RuntimeError):
    """A peer could not be fitted or sampled, or returned something else than was asked for.

    Arguments
    ---------
    run : Run
    problem : str
    """

    def __init__(self, run: Run, problem: str) -> None:
        super().__init__(f"{run.table}, {run.peer}, seed {run.seed}: {problem}")
        self.run = run


def main(
    tables: options.Names = options.TABLES,
    peers: Annotated[
        str, typer.Option(help=f"Of {', '.join(PEERS)}, separated by commas.")
    ] = "macode,tabularargn,ctgan,tvae,authors",
    seeds: options.Numbers = "0",
    data_dir: options.DataDir = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of each peer.")] = 1,
    environments: Annotated[
        Path | None,
        typer.Option(help="Folder of the peers' environments and logs; one in the cache if absent."),
    ] = None,
    max_rows: options.MaxRows = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of every peer that has them; its own choice if absent.")
    ] = None,
    out: options.Out = RESULTS,
    plot: options.Plot = PLOT,
) -> None:
    """Fit every peer on every table and measure what it draws; draw quality against seconds.

    A peer that fails is told of with its last line of error, leaves no row, so that it is tried
    again next time, and does not stop the others. The command then ends with status 1.
    """
    chosen = options.names(peers)
    if strange := [name for name in chosen if name not in PEERS]:
        raise ValueError(f"peer must be one of {list(PEERS)}, however: {strange}")
    loaded = data.load_all(options.names(tables), data_dir, max_rows)
    runs = [
        Run(table, name, seed, threads, max_rows, epochs if PEERS[name].has_epochs else None)
        for table in loaded
        for seed in options.numbers(seeds)
        for name in chosen
    ]
    finished = ledger.finished(out, Run)
    runs = [run for run in runs if run not in finished]
    folder = environments or default_folder()
    pythons = _interpreters({PEERS[run.peer].environment for run in runs}, folder)
    whole = _work_through(
        out, runs, lambda run: measure(run, loaded[run.table], pythons, folder / "logs")
    )
    if out.exists():
        pareto.draw(pd.read_csv(out), plot)
    if not whole:
        raise typer.Exit(1)


def measure(
    run: Run, table: data.RealTable, pythons: dict[str | None, Path], logs: Path
) -> dict[str, Any]:
    """Return every figure of one run.

    Arguments
    ---------
    run : Run
    table : RealTable
    pythons : dict of str or None to Path
        The interpreter of each environment.
    logs : Path
        Folder for what the peers' processes say of their errors.

    Raises
    ------
    PeerFailed
        If the peer's environment is not among the interpreters, its process fails, or what it drew
        cannot be measured.
    """
    train, test = data.split(table.frame, run.seed)
    synthetic, effort = synthesise(run, table, train, pythons, logs)
    if len(synthetic) != len(train):
        raise PeerFailed(run, f"asked for {len(train)} rows, got {len(synthetic)}")
    if synthetic.isna().any(axis=None):
        raise PeerFailed(run, f"cells missing in {list(synthetic.columns[synthetic.isna().any()])}")
    try:
        quality = q1.quality(q1.compare(table, train, test, synthetic))
    except ValueError as error:  # such as categories of its own
        raise PeerFailed(run, f"what it drew cannot be measured: {error}") from error
    return {"n_train": len(train), "n_columns": train.shape[1], **effort, **quality}


def synthesise(
    run: Run,
    table: data.RealTable,
    train: pd.DataFrame,
    pythons: dict[str | None, Path],
    logs: Path,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return what the peer draws, and what it took: seconds, MiB and versions."""
    peer = PEERS[run.peer]
    if peer.environment not in pythons:
        raise PeerFailed(run, f"its environment {peer.environment} was not made")
    job = {
        **{"peer": run.peer, "seed": run.seed, "epochs": run.epochs, "target": table.target},
        **{"continuous": table.continuous, "categorical": table.categorical},
    }
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{quote(run.table, safe='')}-{run.peer}-{run.seed}.log"
    with tempfile.TemporaryDirectory() as name, log.open("w") as errors:
        folder = Path(name)
        (folder / "job.json").write_text(json.dumps(job))
        train.to_parquet(folder / "train.parquet", index=False)
        ended = subprocess.run(
            [str(pythons[peer.environment]), str(WORKERS / peer.script), name],
            cwd=folder,  # some peers leave files where they are
            env=_variables(run.threads, own=peer.environment is None),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        if ended.returncode:
            told = f"ended with status {ended.returncode}: {last_line(log)} (log: {log})"
            raise PeerFailed(run, told)
        figures = json.loads((folder / "figures.json").read_text())
        return pd.read_parquet(folder / "synthetic.parquet"), figures


def _work_through(out: Path, runs: list[Run], measure: Callable[[Run], dict[str, Any]]) -> bool:
    """Measure and write all runs but those that fail, which are told; return whether none did."""
    if not runs:
        return True
    try:
        # In the row stand the peer's threads, not those of this process.
        ledger.work_through(out, runs, measure, threads=str(runs[0].threads))
    except PeerFailed as error:
        typer.echo(error)
        _work_through(out, runs[runs.index(error.run) + 1 :], measure)
        return False
    return True


def _interpreters(environments: set[str | None], folder: Path) -> dict[str | None, Path]:
    """Return the interpreters of environments, made where needed; one that fails is left out."""
    pythons: dict[str | None, Path] = {None: Path(sys.executable)}
    for environment in sorted(name for name in environments if name is not None):
        try:
            pythons[environment] = prepare(environment, folder, typer.echo)
        except EnvironmentFailed as error:
            typer.echo(error)
    return pythons


def _variables(threads: int, *, own: bool) -> dict[str, str]:
    """Return the environment variables of a peer's process."""
    variables = clean_variables()
    if own:  # this very project, installed or not
        variables["PYTHONPATH"] = str(Path(macode_plugin.__file__).parents[1])
    return {**variables, **dict.fromkeys(_THREADS, str(threads)), "CUDA_VISIBLE_DEVICES": ""}


if __name__ == "__main__":
    typer.run(main)
