"""Values in another form than a column's own are read to the digit, or refused."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from macode_plugin.reading import UNREADABLE, first_unreadable, read_as

DATE, PRICE = pd.ArrowDtype(pa.date32()), pd.ArrowDtype(pa.decimal128(8, 2))
FINE = decimal.Decimal("0.20")


@pytest.mark.parametrize(
    "cells",
    [
        np.array([0.2]),
        np.array([0.1 + 0.1 + 1e-16]),
        np.array([0.2], dtype=np.float32),
        pd.array([0.2], dtype="Float64"),
        pd.array(["0.2"], dtype="string"),
        np.array(["0.20"], dtype=object),
        np.array([decimal.Decimal("0.200")], dtype=object),
    ],
)
def test_decimals_are_read_to_the_digit(cells):
    read = read_as(pd.Series(cells, index=[7]), PRICE)
    assert read.dtype == PRICE
    assert read.to_dict() == {7: FINE}
    beside_a_gap = pd.Series(cells).reindex([0, 1])
    assert read_as(beside_a_gap, PRICE).isna().tolist() == [False, True]


@pytest.mark.parametrize("cell", [0.203, "0.203", "cheap", np.inf, 1e9, decimal.Decimal("1e-3"), True])
def test_what_a_decimal_column_cannot_hold_is_refused(cell):
    with pytest.raises(UNREADABLE):
        read_as(pd.Series([cell], dtype=object), PRICE)


@pytest.mark.parametrize(
    "days",
    [pd.to_datetime(["2024-02-01", None]), ["2024-02-01", None], [datetime.date(2024, 2, 1), None]],
)
def test_dates_are_read_from_times_and_text(days):
    read = read_as(pd.Series(days), DATE)
    assert read[0] == datetime.date(2024, 2, 1)
    assert read.isna()[1]


def test_a_time_is_no_date():
    with pytest.raises(ValueError, match="date32"):
        read_as(pd.Series(pd.to_datetime(["2024-02-01 10:00", None])), DATE)


def test_the_first_value_that_cannot_be_read_is_found():
    cells = pd.Series(["0.2", None, "1", "cheap", "dear"], dtype=object)
    assert first_unreadable(cells, lambda part: read_as(part, PRICE)) == "cheap"
