"""Fixtures of the command line's tests."""

import numpy as np
import pandas as pd
import pytest
from command_line import ok, table


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with a table in both formats, and two models of it. Do not change it: it is shared."""
    folder = tmp_path_factory.mktemp("cli")
    table().to_csv(folder / "data.csv", index=False)
    table().to_parquet(folder / "data.parquet", index=False)
    table(60, seed=1).to_csv(folder / "other.csv", index=False)
    common = ("--categorical", "grade", "--epochs", 2, "--device", "cpu", "--quiet")
    ok("fit", folder / "data.csv", "-o", folder / "m.macode", *common)
    ok("fit", folder / "data.parquet", "-o", folder / "missing.macode", "--missing", "model", *common)
    return folder


@pytest.fixture(scope="session")
def codes(tmp_path_factory):
    """A folder with a table of codes and words that look like something else, and a model of it."""
    folder = tmp_path_factory.mktemp("codes")
    cells = {"zip": ["07804", "01234", "10001"], "land": ["NA", "DE"], "ward": [3, 12], "x": range(9)}
    table = pd.DataFrame({name: np.resize(values, 72) for name, values in cells.items()})
    table.to_csv(folder / "data.csv", index=False)
    quiet = ("--epochs", 2, "--device", "cpu", "--quiet")
    ok("fit", folder / "data.csv", "-o", folder / "m.macode", "--text", "ward", *quiet)
    return folder
