"""The command line: ``macode demo``, ``fit``, ``sample``, ``evaluate``, ``info`` and ``bench``.

Everything heavy is imported inside the commands, so that ``--help`` answers at once.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import secrets
import sys
import warnings
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
import typer.core

from macode_plugin.advice import check_learnable
from macode_plugin.files import check_writable, read_table, text_columns, write_table
from macode_plugin.given import list_categories, read_given

if TYPE_CHECKING:
    import pandas as pd

    from macode_plugin.columns import Column
    from macode_plugin.table import Table

__all__ = ["app", "main"]


class Missing(str, Enum):
    """What a missing cell means to ``fit``."""

    mask = "mask"
    model = "model"


Text = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COL",
        help="A column to read as text whatever it looks like, such as one of codes. May be repeated.",
    ),
]


class Commands(typer.core.TyperGroup):
    """Commands whose errors that a person can mend become one line and an exit code."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            with _plain_warnings():
                return super().invoke(ctx)
        except BrokenPipeError:
            raise
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except (OSError, TypeError, ValueError) as error:
            typer.echo(f"macode: error: {_one_line(error)}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    help="Learn a table's conditional distributions, and draw tables from them.",
    epilog="Try it: macode demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line on the process's arguments."""
    app(prog_name="macode")


def _show_version(asked: bool) -> None:
    if asked:
        from macode_plugin import __version__

        typer.echo(f"macode {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


@app.command(
    epilog="""Examples:

\b
  macode demo
  macode demo --epochs 50 --out quick
""",
)
def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")] = Path("demo"),
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Passes over the rows.  [default: by size]")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of everything random.")] = 0,
) -> None:
    """Fit and sample a small medical table, and write a report.

    The table comes with scikit-learn; nothing is downloaded.
    """
    from macode_plugin.demo import run_demo

    run_demo(out, epochs=epochs, seed=seed, echo=typer.echo)


@app.command(
    epilog="""Examples:

\b
  macode fit patients.csv -o patients.macode --categorical ward --text zip
  macode fit big.parquet -o big.macode --max-time 3600 --checkpoint big.part
""",
)
def fit(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Table, .csv (with ISO dates as dates) or .parquet.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="File for the model.")],
    categorical: Annotated[
        list[str] | None,
        typer.Option(metavar="COL", help="A numeric column that holds categories. May be repeated."),
    ] = None,
    text: Text = None,
    missing: Annotated[
        Missing,
        typer.Option(help="mask: samples are complete. model: samples have missing cells too."),
    ] = Missing.mask,
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Passes over the rows.  [default: by size]")
    ] = None,
    max_time: Annotated[
        float | None, typer.Option(metavar="S", help="Seconds to train, at most.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Keep the state of training here, and continue from it if it exists."
        ),
    ] = None,
    paper: Annotated[bool, typer.Option("--paper", help="Use the published settings.")] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the fit.")] = 0,
    device: Annotated[str, typer.Option(metavar="NAME", help="auto, cpu, cuda, mps, ...")] = "auto",
    quiet: Annotated[bool, typer.Option("--quiet", help="Show warnings and errors only.")] = False,
) -> None:
    """Fit a model to a table and save it.

    Empty cells of a CSV file are missing; so are NA, NaN and the like among numbers and dates,
    not among text. Whole numbers with leading zeros are text.

    Ctrl-C ends training early; the best weights so far are saved.
    """
    for path in (output, checkpoint or output):
        check_writable(path)
    if checkpoint is not None and checkpoint.resolve() == output.resolve():
        raise ValueError(f"--checkpoint names {output} too, the file of the model; choose another")
    frame = _read(data, text)
    learn_gaps = missing is Missing.model
    check_learnable(frame, categorical=categorical or (), missing_is_learned=learn_gaps)
    from macode_plugin.estimator import MaCoDE

    changes: dict[str, Any] = {} if epochs is None else {"epochs": epochs}
    changes |= {"missing": missing.value, "random_state": seed, "device": device, "verbose": not quiet}
    model = MaCoDE.paper(**changes) if paper else MaCoDE(**changes)
    model.fit(frame, categorical_columns=categorical, max_time=max_time, checkpoint=checkpoint)
    model.save(output)
    if not quiet:
        rows, columns = frame.shape
        typer.echo(f"saved {output}: {rows} rows, {columns} columns, {len(model.history_)} epochs")


@app.command(
    epilog="""Examples:

\b
  macode sample patients.macode -n 1000 -o synthetic.csv
  macode sample patients.macode -n 9 --given sex=f --given age=40 -o women.csv
  macode sample patients.macode --given-file known.csv -o completed.csv
""",
)
def sample(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="File that fit wrote.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="File for the rows, .csv or .parquet.")
    ],
    n: Annotated[int | None, typer.Option("-n", min=0, metavar="N", help="Rows wanted.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COL=VALUE",
            help="A value for all rows; nothing after = asks for a missing cell. May be repeated.",
        ),
    ] = None,
    given_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Table with a row for each row wanted; its empty cells are drawn."
        ),
    ] = None,
    temperature: Annotated[
        float, typer.Option(metavar="T", help="Above 1: flatter, farther from the data.")
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Seed of the draw.  [default: a new one]")
    ] = None,
) -> None:
    """Draw rows from a model, all cells or those that are not given."""
    if n is None and given_file is None:
        raise typer.BadParameter("give the number of rows wanted, or --given-file", param_hint="-n")
    check_writable(output, table=True)
    from macode_plugin.estimator import MaCoDE

    fitted = MaCoDE.load(model)
    conditions = read_given(fitted.table_, given or [], given_file)
    # A loaded model would draw the same rows at every call.
    seed = secrets.randbelow(2**32) if seed is None else seed
    rows = fitted.sample(n, temperature=temperature, conditions=conditions, random_state=seed)
    write_table(rows, output)
    typer.echo(f"wrote {len(rows)} rows to {output} (seed {seed})")


@app.command(
    help="""Say how far a synthetic table is from a real one.

\b
marginal distance       of single columns, from 0 (alike) to 1
association difference  of rank correlations, mean over pairs of columns
detector AUC            how well a model tells the tables apart; 0.5 is best
target                  how well held-out real rows are predicted by a model
                        trained on synthetic rows, and by one trained on real
""",
    epilog="""Examples:

\b
  macode evaluate patients.csv synthetic.csv
  macode evaluate patients.csv synthetic.csv --target diagnosis --json
""",
)
def evaluate(
    real: Annotated[Path, typer.Argument(metavar="REAL", help="Real table, read as by fit.")],
    synthetic: Annotated[Path, typer.Argument(metavar="SYNTHETIC", help="Synthetic table.")],
    target: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Predict this column of held-out real rows, too."),
    ] = None,
    text: Text = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how far a synthetic table is from a real one."""
    from macode_plugin.evaluation import evaluate as compare

    first = _read(real, text)
    # What is text in one table is text in the other, though its own rows may look like numbers.
    second = read_table(synthetic, text=[*(text or ()), *text_columns(first)])
    quality = compare(first, second, target=target)
    if as_json:
        typer.echo(json.dumps(quality.to_json(), indent=2))
        return
    from macode_plugin.report import quality_rows, text_table

    typer.echo(f"{quality.n_real} real rows, {quality.n_synthetic} synthetic rows\n")
    typer.echo(text_table(quality_rows(quality)))


@app.command(epilog="Example:  macode info patients.macode")
def info(model: Annotated[Path, typer.Argument(metavar="MODEL", help="File that fit wrote.")]) -> None:
    """Show what a model file holds."""
    from macode_plugin.estimator import MaCoDE
    from macode_plugin.report import text_table

    fitted = MaCoDE.load(model)
    n_weights = sum(weight.numel() for weight in fitted.network_.parameters())
    typer.echo(
        f"{model}: {len(fitted.table_)} columns, {len(fitted.history_)} epochs, {n_weights} weights"
    )
    typer.echo(f"{_one_line(repr(fitted))}\n")
    typer.echo(text_table(_column_rows(fitted.table_), left=3))


@app.command(
    epilog="""Examples:

\b
  macode bench --report
  macode bench --report --results measured -o measured.html
""",
)
def bench(
    report: Annotated[bool, typer.Option("--report", help="Write the page of results.")] = False,
    results: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of results.  [default: the repository's own]"),
    ] = None,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="HTML file for the page.")
    ] = Path("report.html"),
) -> None:
    """Show what the benchmarks measured, in a clone of the repository.

    They are run one by one: python -m benchmarks.q1 --help, for the first.
    """
    if not report:
        raise typer.BadParameter("say what to do; there is nothing else yet", param_hint="--report")
    check_writable(output)
    if not Path("benchmarks", "page.py").is_file():
        raise ValueError(
            f"no benchmarks in {Path.cwd()}: they are not installed with the package; "
            "run this from a clone of the repository, in its root"
        )
    sys.path.insert(0, str(Path.cwd()))  # a console script does not look where it is called
    page = importlib.import_module("benchmarks.page")
    page.main(results=results or page.FOLDER, output=output)
    typer.echo(f"wrote {output}")


def _read(path: Path, text: list[str] | None) -> pd.DataFrame:
    """Read a table that has to have the columns that are to be read as text."""
    frame = read_table(path, text=text or ())
    for name in text or ():
        if name not in frame.columns:
            known = ", ".join(repr(known) for known in frame.columns)
            raise ValueError(f"--text names {name!r}, which is not a column of {path}; columns: {known}")
    return frame


def _column_rows(table: Table) -> list[list[str]]:
    """Return what each column holds as rows of cells, a header first."""
    rows = [["column", "type", "values", "tokens"]]
    for column in table.columns:
        values = _values_text(column)[:50] if column.n_values else "none"
        if column.missing_token is not None:
            values += ", or missing"
        rows.append([str(column.name), column.kind, values, str(column.n_tokens)])
    return rows


def _values_text(column: Column) -> str:
    from macode_plugin.columns import NumericColumn

    if isinstance(column, NumericColumn):
        return " to ".join(map(_brief, column.range))
    return ", ".join(map(_brief, list_categories(column)[:4])) + ", ..." * (column.n_values > 4)


def _brief(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


@contextlib.contextmanager
def _plain_warnings() -> Iterator[None]:
    """Show warnings as lines of text, without the place in the code they come from."""

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        from tqdm import tqdm

        tqdm.write(f"macode: warning: {_one_line(message)}", file=sys.stderr)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _one_line(message: object) -> str:
    if isinstance(message, OSError) and message.strerror:
        message = f"{message.filename}: {message.strerror}" if message.filename else message.strerror
    return " ".join(str(message).split())
