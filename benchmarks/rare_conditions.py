"""Rows under a rare rule: drawn here, filtered by the host's own plugins.

``python -m benchmarks.rare_conditions`` (with the ``synthcity`` extra)

The rule holds for one training row in a thousand. macode draws the rows asked for; ctgan generates
and filters, round after round, in the host's own way. The rule is written with ``>=``, which the host's
filter understands; with ``>`` it raises an error at once.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from synthcity.plugins import Plugins
from synthcity.plugins.core.constraints import Constraints
from synthcity.plugins.core.dataloader import GenericDataLoader

import macode_plugin  # noqa: F401  registers the plugin
from benchmarks import ledger, options

__all__ = ["RESULTS", "main"]

RESULTS = ledger.FOLDER / "rare_conditions.csv"


def table(n_rows: int, seed: int = 0) -> pd.DataFrame:
    """Return a table with a long tail in ``size``, on which the other columns depend."""
    rng = np.random.default_rng(seed)
    size = rng.gamma(2.0, 1.0, n_rows)
    kind = np.where(rng.random(n_rows) < 1 / (1 + np.exp(size - 3)), "small", "large")
    return pd.DataFrame(
        {"size": size, "price": (size * rng.normal(10, 1, n_rows)).round(2), "kind": kind}
    )


def main(
    n: Annotated[int, typer.Option(help="Rows to ask for.")] = 10_000,
    training_rows: Annotated[int, typer.Option(help="Rows to learn from.")] = 20_000,
    n_iter: Annotated[int, typer.Option(help="Training iterations of each plugin.")] = 10,
    patience: Annotated[int, typer.Option(help="Rejection rounds that the host allows.")] = 50,
    out: options.NewOut = RESULTS,
) -> None:
    """Time drawing rows with and without the rule, and count those that come back."""
    frame = table(training_rows)
    threshold = float(frame["size"].quantile(0.999))
    rule = Constraints(rules=[("size", ">=", threshold)])
    rows = []
    for name in ("macode", "ctgan"):
        options = {"n_iter": n_iter, "sampling_patience": patience, "strict": True, "device": "cpu"}
        plugin = Plugins().get(name, **options)
        plugin.fit(GenericDataLoader(frame.copy()))
        for asked, constraints in (("no rule", None), ("rare rule", rule)):
            rows.append(
                {"plugin": name, "rows": asked, **_draw(plugin, n, constraints), **ledger.environment()}
            )
    found = pd.DataFrame(rows)
    found.to_csv(out, index=False)
    typer.echo(found.drop(columns=list(ledger.environment())).to_string(index=False))


def _draw(plugin: Any, n: int, constraints: Constraints | None) -> dict[str, Any]:
    start = time.perf_counter()
    problem = ""
    try:
        n_got = len(plugin.generate(n, constraints=constraints))
    except Exception as error:  # whatever stops the host's own way is a result here
        n_got, problem = 0, f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    seconds = round(time.perf_counter() - start, 2)
    return {"asked": n, "got": n_got, "seconds": seconds, "problem": problem}


if __name__ == "__main__":
    typer.run(main)
