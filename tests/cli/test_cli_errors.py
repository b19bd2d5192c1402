"""Bad input to any command: one line that names it, and an exit code."""

import decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import error, ok, run, table


def spoiled(folder, tmp_path, how):
    """Return the path of a model file with something wrong."""
    path = tmp_path / f"{how}.macode"
    data = (folder / "m.macode").read_bytes()
    path.write_bytes(
        {"cut": data[:-100], "altered": data[:-1] + b"\xff", "empty": b"", "text": b"hi"}[how]
    )
    return path


@pytest.mark.parametrize(
    ("args", "fragments"),
    [
        (("--given", "nope=1"), ["no column 'nope'", "'dose'"]),
        (("--given", "dose"), ["--given 'dose'", "column=value"]),
        (("--given", "kind=q"), ["'kind'", "no category 'q'", "'a', 'b'"]),
        (("--given", "grade=7"), ["'grade'", "no category '7'", "'1', '2', '3'"]),
        (("--given", "flag=maybe"), ["'flag'", "'maybe'", "'False', 'True'"]),
        (("--given", "dose=abc"), ["'dose'", "'abc'"]),
        (("--given", "dose=9999"), ["'dose'", "9999", "range"]),
        (("--given", "day=soon"), ["'day'", "'soon'"]),
        (("--given", "visits="), ["'visits'", "missing"]),
        (("--given", "kind="), ["'kind'", "missing"]),
        (("--given", "kind=a", "--given", "kind=b"), ["'kind' is given twice"]),
        (("--temperature", "0"), ["temperature", "0"]),
        (("--given-file", "nowhere.csv"), ["no such file: nowhere.csv"]),
    ],
)
def test_sample_errors(folder, tmp_path, args, fragments):
    line = error("sample", folder / "m.macode", "-n", 3, "-o", tmp_path / "s.csv", *args)
    assert all(fragment in line for fragment in fragments), line
    assert not (tmp_path / "s.csv").exists()


def test_given_file_errors(folder, tmp_path):
    known = tmp_path / "known.csv"

    def error_of(text, *args):
        known.write_text(text)
        command = ("sample", folder / "m.macode", "--given-file", known, "-o", tmp_path / "s.csv")
        return error(*command, *args)

    assert "no column 'nope'" in error_of("nope\n1\n")
    assert "'grade' has no category '9'" in error_of("grade\n1\n9\n")
    assert "'kind' is given twice" in error_of("kind\na\n", "--given", "kind=b")
    assert "column 'kind' occurs more than once" in error_of("kind,dose,kind\na,9,b\n")
    assert "1 rows" in error_of("kind\na\n", "-n", 2)


@pytest.mark.parametrize("how", ["cut", "altered", "empty", "text"])
@pytest.mark.parametrize("command", ["info", "sample"])
def test_damaged_model_files(folder, tmp_path, how, command):
    path = spoiled(folder, tmp_path, how)
    more = ("-n", 3, "-o", tmp_path / "s.csv") if command == "sample" else ()
    assert str(path) in error(command, path, *more)


def test_files_that_are_not_there(folder, tmp_path):
    nowhere = tmp_path / "nowhere.csv"
    data, model = folder / "data.csv", folder / "m.macode"
    for args in (
        ("fit", nowhere, "-o", tmp_path / "m"),
        ("info", nowhere),
        ("sample", nowhere, "-n", 1, "-o", tmp_path / "s.csv"),
        ("evaluate", data, nowhere),
        ("evaluate", nowhere, data),
        ("fit", data, "-o", nowhere / "m"),
        ("fit", data, "-o", tmp_path / "m", "--checkpoint", nowhere / "state"),
        ("sample", model, "-n", 1, "-o", nowhere / "s.csv"),
    ):
        assert str(nowhere) in error(*args)


def test_a_checkpoint_takes_no_models_name(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = error("fit", folder / "data.csv", "-o", tmp_path / "m", "--checkpoint", "m", "--epochs", 1)
    assert "--checkpoint names" in line
    assert not (tmp_path / "m").exists()


def test_files_of_the_wrong_kind(folder, tmp_path):
    binary, words = tmp_path / "t.parquet", tmp_path / "t.txt"
    binary.write_bytes(b"no parquet")
    words.write_text("hello")
    empty, ragged = tmp_path / "t.csv", tmp_path / "r.csv"
    empty.write_text("")
    ragged.write_text("a,b\n1,2\n1,2,3\n")
    out = ("-o", tmp_path / "m")
    assert f"{binary} cannot be read: " in error("fit", binary, *out)
    named = "the name of a table's file must end in .csv or .parquet"
    assert f"{words}: {named}" in error("fit", words, *out)
    assert f"{empty} cannot be read: " in error("fit", empty, *out)
    assert "Expected 2 fields in line 3, saw 3" in error("fit", ragged, *out)
    assert f"{tmp_path} is a folder" in error("fit", folder / "data.csv", "-o", tmp_path)
    assert str(tmp_path) in error("info", tmp_path)
    sample = ("sample", folder / "m.macode", "-n", 1)
    assert ".csv or .parquet" in error(*sample, "-o", tmp_path / "s.txt")


@pytest.mark.parametrize(
    ("args", "fragments"),
    [
        (("--categorical", "nope"), ["'nope'", "'dose'"]),
        (("--max-time", "-1"), ["max_time", "-1"]),
        (("--device", "abacus"), ["'abacus'"]),
    ],
)
def test_fit_errors(folder, tmp_path, args, fragments):
    line = error("fit", folder / "data.csv", "-o", tmp_path / "m", "--epochs", 1, "--quiet", *args)
    assert all(fragment in line for fragment in fragments), line


def test_fit_of_a_table_that_cannot_be_learned(tmp_path):
    def error_of(text):
        (tmp_path / "t.csv").write_text(text)
        return error("fit", tmp_path / "t.csv", "-o", tmp_path / "m", "--quiet")

    assert "0 rows" in error_of("a,b\n")
    assert "'b' has no value at all; drop it, or" in error_of("a,b\n1,\n2,\n")
    assert "'b' holds inf" in error_of("a,b\n1,inf\n2,2\n")


def large(tmp_path, kind):
    """Return a file of a column ``x`` of numbers that no 64-bit integer can count, and one of them."""
    path = tmp_path / ("t.csv" if kind == "csv" else "t.parquet")
    if kind == "csv":
        path.write_text(f"x,y\n{2**63 + 5},1\n7,2\n8,3\n")
        return path, str(2**63 + 5)
    column = {
        "unsigned": pa.array([2**63 + 5, 7, None], pa.uint64()),
        "decimal": pa.array([decimal.Decimal("-9876543210.5"), None, None], pa.decimal128(38, 18)),
    }[kind]
    pq.write_table(pa.table({"x": column, "y": [1, 2, 3]}), path)
    return path, {"unsigned": str(2**63 + 5), "decimal": "-9876543210.5"}[kind]


@pytest.mark.parametrize("kind", ["csv", "unsigned", "decimal"])
def test_numbers_too_large_can_be_text(kind, tmp_path):
    path, value = large(tmp_path, kind)
    args = ("fit", path, "-o", tmp_path / "m.macode", "--epochs", 1, "--quiet")
    line = error(*args)
    assert f"column 'x' holds {value}" in line
    assert "--text x makes categories" in line
    for option in ("--text", "--categorical"):
        ok(*args, option, "x")
        assert value in ok("info", tmp_path / "m.macode")


def test_a_column_without_values_can_be_drawn_empty(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,\n2,\n")
    args = ("fit", tmp_path / "t.csv", "-o", tmp_path / "m.macode", "--epochs", 1, "--quiet")
    assert "--missing model" in error(*args)
    ok(*args, "--missing", "model")
    ok("sample", tmp_path / "m.macode", "-n", 5, "-o", tmp_path / "s.csv")
    assert (tmp_path / "s.csv").read_text().splitlines()[1].endswith(",")


def test_evaluate_errors(folder, tmp_path):
    real = folder / "data.csv"
    table().drop(columns="kind").to_csv(tmp_path / "less.csv", index=False)
    table().assign(dose="high").to_csv(tmp_path / "words.csv", index=False)
    assert "'kind'" in error("evaluate", real, tmp_path / "less.csv")
    assert "'kind'" in error("evaluate", tmp_path / "less.csv", real)
    assert "'dose'" in error("evaluate", real, tmp_path / "words.csv")
    assert "'nope'" in error("evaluate", real, real, "--target", "nope")


@pytest.mark.parametrize(
    "args",
    [
        ("fit",),
        ("fit", "data.csv", "-o", "m", "--epochs", "0"),
        ("fit", "data.csv", "-o", "m", "--missing", "drop"),
        ("sample", "m.macode", "-o", "s.csv"),
        ("sample", "m.macode", "-n", "-1", "-o", "s.csv"),
        ("nonsense",),
        ("info", "m.macode", "--nonsense"),
    ],
)
def test_usage_errors_are_2(args):
    result = run(*args)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
