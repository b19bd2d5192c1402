"""The two lines of SDV behind one face: a table is ``{name: frame}`` in 2.0, a frame in 1.x."""

import numpy as np
import pandas as pd
import sdv
from sdv.metadata import Metadata

from macode_plugin import MaCoDESynthesizer

TWO = int(sdv.__version__.split(".")[0]) >= 2
TINY = {"epochs": 3, "width": 16, "n_layers": 1, "enable_gpu": False, "random_state": 0}


def pack(frame):
    """Return a table as the installed SDV takes it."""
    return {"table": frame} if TWO else frame


def unpack(table):
    """Return what the installed SDV gives as a frame."""
    return table["table"] if TWO else table


def describe(columns, **more):
    """Return metadata of columns, each an sdtype or a description."""
    columns = {
        name: {"sdtype": column} if isinstance(column, str) else column
        for name, column in columns.items()
    }
    return Metadata.load_from_dict({"tables": {"table": {"columns": columns, **more}}})


def make(columns, *, constraints=(), primary_key=None, **arguments):
    """Return an unfitted small synthesizer."""
    more = {} if primary_key is None else {"primary_key": primary_key}
    synthesizer = MaCoDESynthesizer(describe(columns, **more), **{**TINY, **arguments})
    if constraints:
        synthesizer.add_constraints(list(constraints))
    return synthesizer


def fit(synthesizer, frame):
    """Return the synthesizer, fitted to a frame."""
    synthesizer.fit(pack(frame))
    return synthesizer


def sample(synthesizer, *args, **kwargs):
    return unpack(synthesizer.sample(*args, **kwargs))


def from_conditions(synthesizer, *args, **kwargs):
    return unpack(synthesizer.sample_from_conditions(*args, **kwargs))


def remaining(synthesizer, *args, **kwargs):
    return unpack(synthesizer.sample_remaining_columns(*args, **kwargs))


def written_to(folder):
    """Return how the installed SDV is told to write what it draws there, and the file it writes."""
    if TWO:
        return {"output_folder_path": folder / "out"}, folder / "out" / "table.csv"
    return {"output_file_path": folder / "out.csv"}, folder / "out.csv"


def load(path):
    """Load a synthesizer in the installed SDV's way."""
    if TWO:
        from sdv.utils import load_synthesizer

        return load_synthesizer(path)
    return MaCoDESynthesizer.load(path)


COLUMNS = {
    "key": "id",
    "size": "numerical",
    "count": "numerical",
    "kind": "categorical",
    "grade": "ordinal" if TWO else "categorical",
    "truth": "boolean",
    "day": "datetime",
    "written": {"sdtype": "datetime", "datetime_format": "%d/%m/%Y"},
    "label": {"sdtype": "id", "regex_format": "L-[0-9]{5}"},
    "email": {"sdtype": "email", "pii": True},
}


def guests(n=300, seed=0):
    """A table with a column of every sdtype; ``size`` and the gaps of ``count`` depend on ``kind``."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(["a", "b", "c"], n, p=[0.5, 0.3, 0.2])
    size = (rng.normal(size=n) + 4.0 * (kind == "b") - 3.0).round(2)
    count = np.where((kind == "a") & (rng.random(n) < 0.6), np.nan, rng.integers(0, 50, n))
    days = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")
    written = pd.Series(days.strftime("%d/%m/%Y")).where(rng.random(n) < 0.9, None)
    frame = pd.DataFrame(
        {
            "key": np.arange(n) + 1_000_000_000,
            "size": size,
            "count": count,
            "kind": kind,
            "grade": rng.integers(1, 6, n),
            "truth": rng.choice(np.array([True, False, None], dtype=object), n, p=[0.6, 0.3, 0.1]),
            "day": days,
            "written": written,
            "label": [f"L-{i:05d}" for i in range(n)],
            "email": [f"real{i}@nowhere.invalid" for i in range(n)],
        }
    )
    frame.loc[rng.random(n) < 0.1, "day"] = pd.NaT
    return frame
