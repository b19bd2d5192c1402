"""Tables from elsewhere: what of them is learned, and what is said where they cannot be had."""

import gzip
import hashlib
import json
import socket
import sys

import pandas as pd
import pytest

from benchmarks import data, sources

ARFF = """\
@relation toy
@attribute size numeric
@attribute stars {1, 2, 10}
@attribute rooms integer
@attribute class {good, bad}
@data
0.5, 1, 3, good
1.5, 10, 2, bad
?, 10, 1, bad
2.5, 2, 2, good
"""
URL = "data/v1/download/7/toy.arff"
SEARCH = "api/v1/json/data/list/data_name/toy/limit/2"


def mixed():
    """Return a table of every kind of column, a gap in its last row."""
    return pd.DataFrame(
        {
            "price": [0.5, 1.5, 2.5, 3.5],
            "kind": ["b", "a", "b", "a"],
            "count": pd.array([3, 1, 2, None], dtype="Int64"),
            "day": pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"]),
            "open": [True, False, False, True],
            "grade": [5, 4, 5, 4],
        }
    )


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """Send every request to a port where nothing listens, and give scikit-learn an empty cache."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nowhere = f"http://127.0.0.1:{unused.getsockname()[1]}"
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, nowhere)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # it would remember other proxies
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def openml(offline):
    """Return a function that puts a table and its target into scikit-learn's cache, as number 61."""

    def put(target, oldest=61):
        columns = {"size": "numeric", "stars": "nominal", "rooms": "numeric", "class": "nominal"}
        features = [
            {
                **{"index": str(k), "name": name, "data_type": kind},
                **{"is_target": str(name == target).lower(), "number_of_missing_values": "0"},
                **{"is_ignore": "false", "is_row_identifier": "false"},
            }
            for k, (name, kind) in enumerate(columns.items())
        ]
        about = {
            **{"id": "61", "name": "toy", "version": "3", "status": "active", "format": "ARFF"},
            **{"url": f"https://www.openml.org/{URL}", "description": "made up"},
            "md5_checksum": hashlib.md5(ARFF.encode()).hexdigest(),
        }
        listed = {number: {"data": {"dataset": [{"did": number}]}} for number in (61, oldest)}
        answers = {
            "api/v1/json/data/61": {"data_set_description": about},
            "api/v1/json/data/features/61": {"data_features": {"feature": features}},
            "api/v1/json/data/qualities/61": {"data_qualities": {"quality": []}},
            f"{SEARCH}/status/active/": listed[oldest],
            f"{SEARCH}/data_version/3": listed[61],
        }
        texts = {URL: ARFF, **{path: json.dumps(answer) for path, answer in answers.items()}}
        for path, text in texts.items():
            file = offline / "openml" / "openml.org" / f"{path}.gz"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(gzip.compress(text.encode()))

    return put


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("iris", (150, 5), {"setosa", "versicolor", "virginica"}),
        ("wine", (178, 14), {"class_0", "class_1", "class_2"}),
        ("digits", (1797, 65), set("0123456789")),
        ("breast_cancer", (569, 31), {"malignant", "benign"}),
    ],
)
def test_bundled_tables_have_their_classes_by_name(name, shape, classes):
    table = data.load(f"sklearn:{name}")
    assert table.name == f"sklearn:{name}"
    assert table.frame.shape == shape
    assert (table.categorical, table.target) == (["target"], "target")
    assert set(table.frame["target"]) == classes
    assert set(data.code(table, table.frame)["target"]) == set(range(1, len(classes) + 1))


def test_a_table_from_elsewhere_is_cut_and_loaded_beside_those_of_the_paper():
    tables = data.load_all(["sklearn:wine", "breast"], max_rows=50)
    assert list(tables) == ["sklearn:wine", "breast"]
    assert [len(table.frame) for table in tables.values()] == [50, 50]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_file_keeps_complete_rows_of_numbers_and_categories_and_says_so(ending, tmp_path, capsys):
    getattr(mixed(), f"to_{ending}")(tmp_path / f"mine.{ending}", index=False)
    name = f"file:mine.{ending}"
    table = data.load(name, tmp_path)
    expected = pd.DataFrame(
        {
            **{"price": [0.5, 1.5, 2.5], "count": [3, 1, 2], "grade": [5, 4, 5]},
            **{"kind": ["b", "a", "b"], "open": ["True", "False", "False"]},
        }
    )
    pd.testing.assert_frame_equal(table.frame, expected)
    assert table.continuous == ["price", "count", "grade"]
    assert (table.categorical, table.target) == (["kind", "open"], "open")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        f"{name}: columns that are neither numbers nor categories are left out: ['day']",
        f"{name}: 1 of 4 rows have missing cells and are left out",
        f"{name}: the target is 'open', the last column of categories",
    ]


@pytest.mark.parametrize("target", ["kind", "grade", "count"])
def test_a_target_is_named_behind_the_file(target, tmp_path, capsys):
    mixed().to_parquet(tmp_path / "mine.parquet")
    table = data.load(f"file:mine.parquet#{target}", tmp_path)
    assert table.target == table.categorical[-1] == table.frame.columns[-1] == target
    assert set(table.categorical) == {"kind", "open", target}
    assert pd.api.types.is_integer_dtype(table.frame[target]) == (target != "kind")
    assert "the target is" not in capsys.readouterr().err


@pytest.mark.parametrize("asked", ["price", "day", "colour"])
def test_a_target_that_is_no_category_is_refused_with_those_that_are(asked, tmp_path):
    mixed().to_parquet(tmp_path / "mine.parquet")
    choices = r"\['kind', 'open', 'count', 'grade'\]"
    with pytest.raises(ValueError, match=rf"mine.parquet#{asked} .*however: '{asked}'; .*{choices}"):
        data.load(f"file:mine.parquet#{asked}", tmp_path)


def test_a_table_without_a_category_is_refused_with_the_way_out(tmp_path):
    mixed()[["price", "grade"]].to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ValueError, match=r"however: None; .* behind '#', one of \['grade'\]"):
        data.load("file:mine.csv", tmp_path)
    assert data.load("file:mine.csv#grade", tmp_path).continuous == ["price"]


def test_a_table_without_a_complete_row_is_refused_with_its_gaps(tmp_path):
    mixed().assign(price=None).to_csv(tmp_path / "mine.csv", index=False)
    with pytest.raises(ValueError, match=r"of 4 rows .*{'price': 1.0, 'count': 0.25}; .*file:NAME"):
        data.load("file:mine.csv", tmp_path)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("wine", r"must be one of .*'abalone'.*'sklearn:NAME'.*however: 'wine'"),
        ("kaggle:wine", r"must be one of .*'openml:NAME'.*however: 'kaggle:wine'"),
        ("sklearn:diabetes", r"'digits', 'iris', 'wine'\), however: 'diabetes'"),
        ("openml:", "'openml:credit-g@1', however: 'openml:'"),
        ("openml:31@1", "however: 'openml:31@1'"),
        ("openml:credit-g@new", "however: 'openml:credit-g@new'"),
        ("file:mine.csv", "needs the folder that holds mine.csv .--data-dir"),
    ],
)
def test_a_strange_name_is_refused_with_the_known_ones(name, problem):
    with pytest.raises(ValueError, match=problem):
        data.load(name)


def test_a_file_is_named_without_its_folder(tmp_path):
    with pytest.raises(ValueError, match=r"by --data-dir, however: 'file:new/mine.csv'"):
        data.load("file:new/mine.csv", tmp_path)
    with pytest.raises(ValueError, match=r"no such file: .*mine.csv"):
        data.load("file:mine.csv", tmp_path)


@pytest.mark.parametrize("name", ["openml:61", "openml:toy", "openml:Toy@3"])
def test_a_table_of_openml_is_asked_for_by_number_name_or_version(name, openml, offline, capsys):
    openml(target="class", oldest=9 if "@" in name else 61)
    table = data.load(name)
    assert (table.continuous, table.categorical) == (["size", "rooms"], ["stars", "class"])
    assert table.target == "class"
    assert table.frame.to_numpy().tolist() == [
        [0.5, 3, "1", "good"],
        [1.5, 2, "10", "bad"],
        [2.5, 2, "2", "good"],
    ]
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"{name} is downloaded from openml.org, unless it is in the cache {offline}"
    assert second == f"{name}: 1 of 4 rows have missing cells and are left out"


def test_a_target_that_openml_names_is_not_taken_for_classes_if_it_is_a_number(openml):
    openml(target="rooms")
    with pytest.raises(ValueError, match=r"however: 'rooms'; .*\['stars', 'class', 'rooms'\]"):
        data.load("openml:61")
    assert data.load("openml:61#rooms").target == "rooms"
    assert data.load("openml:61#stars").continuous == ["size", "rooms"]


def test_a_table_that_openml_has_no_target_of_takes_its_last_category(openml, capsys):
    openml(target=None)
    assert data.load("openml:61").target == "class"
    assert "the target is 'class'" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore:A network error occurred")
def test_without_a_network_the_table_and_the_way_out_are_named(offline, capsys):
    way_out = r"^openml:31 cannot be downloaded: .*file:NAME.parquet.*--data-dir"
    with pytest.raises(ConnectionError, match=way_out) as told:
        data.load("openml:31#class")
    assert told.value.__cause__ is None  # no pages of urllib's
    assert told.value.__suppress_context__
    assert capsys.readouterr().err.startswith("openml:31 is downloaded from openml.org")


def test_a_table_of_sdv_needs_sdv(monkeypatch):
    monkeypatch.setitem(sys.modules, "sdv.datasets.demo", None)
    with pytest.raises(ImportError, match=r"sdv:adult needs SDV; .*macode-plugin\[sdv\]"):
        sources.read("sdv:adult")
