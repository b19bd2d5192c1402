"""Rows under a rare rule: drawn here, filtered by the host's own plugins.

``python -m benchmarks.rare_conditions`` (with the ``synthcity`` extra)

The rule holds for one training row in a thousand. macode draws the rows asked for; the others generate
and filter, round after round, in the host's own way: a plugin of the training distribution would find
``patience * asked / 1000`` of them. The rule is written with ``>=``, which the host's filter
understands; with ``>`` it raises an error at once.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from synthcity.plugins import Plugins
from synthcity.plugins.core.constraints import Constraints
from synthcity.plugins.core.dataloader import GenericDataLoader

import macode_plugin  # noqa: F401  registers the plugin
from benchmarks import ledger, options
from benchmarks.membership import synthcity_version
from benchmarks.synthcity_suite import OWN_LENGTH
from benchmarks.timing import timed

__all__ = ["RESULTS", "Run", "main"]

RESULTS = ledger.FOLDER / "rare_conditions.csv"


@dataclasses.dataclass(frozen=True)
class Run:
    """What tells one row of results from another.

    Arguments
    ---------
    plugin : str
    rule : {"none", "rare"}
    training_rows : int
    asked : int
        Rows asked for.
    n_iter : int or None
        Training iterations that were asked for; None for the plugin's own choice.
    patience : int
        Rounds of rejection that the host allows.
    """

    plugin: str
    rule: str
    training_rows: int
    asked: int
    n_iter: int | None
    patience: int


def table(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Return a table with a long tail in ``size``, on which the other columns depend."""
    rng = np.random.default_rng(seed)
    size = rng.gamma(2.0, 1.0, n_rows)
    kind = np.where(rng.random(n_rows) < 1 / (1 + np.exp(size - 3)), "small", "large")
    return pd.DataFrame(
        {"size": size, "price": (size * rng.normal(10, 1, n_rows)).round(2), "kind": kind}
    )


def main(
    plugins: options.Names = "macode,ctgan",
    n: Annotated[int, typer.Option(help="Rows to ask for.")] = 10_000,
    training_rows: Annotated[int, typer.Option(help="Rows to learn from.")] = 20_000,
    n_iter: Annotated[
        int | None, typer.Option(help="Iterations of the neural peers; theirs if absent.")
    ] = 30,
    patience: Annotated[int, typer.Option(help="Rejection rounds that the host allows.")] = 50,
    out: options.Out = RESULTS,
) -> None:
    """Time drawing rows with and without the rule, and count those that come back."""
    frame = table(training_rows)
    runs = [
        Run(name, rule, training_rows, n, None if name in OWN_LENGTH else n_iter, patience)
        for name in options.names(plugins)
        for rule in ("none", "rare")
    ]

    @functools.lru_cache(maxsize=1)  # runs of one plugin follow each other
    def fitted(name: str, n_iter: int | None) -> Any:
        asked = {} if n_iter is None else {"n_iter": n_iter}
        plugin = Plugins().get(name, **asked, sampling_patience=patience, strict=True, device="cpu")
        return plugin.fit(GenericDataLoader(frame.copy()))

    rare = Constraints(rules=[("size", ">=", float(frame["size"].quantile(0.999)))])
    ledger.work_through(
        out,
        runs,
        lambda run: draw(
            fitted(run.plugin, run.n_iter), run.asked, rare if run.rule == "rare" else None
        ),
        synthcity=synthcity_version(),
    )


def draw(plugin: Any, n: int, constraints: Constraints | None) -> dict[str, Any]:
    """Return how many rows came back, the seconds, and what went wrong."""
    problem = ""

    def got() -> int:
        nonlocal problem
        try:
            return len(plugin.generate(n, constraints=constraints))
        except Exception as error:  # whatever stops the host's own way is a result here
            problem = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
            return 0

    n_got, seconds = timed(got)
    return {"got": n_got, "s": round(seconds, 2), "problem": problem}


if __name__ == "__main__":
    typer.run(main)
