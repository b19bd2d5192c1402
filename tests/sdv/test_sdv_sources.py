"""SDV's demo tables, from a stand-in for the bucket that its own loader reads."""

import io
import json
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest
from sdv.errors import DemoResourceNotFoundError

from benchmarks import data

BUCKET = "sdv-datasets-public"
FRAME = pd.DataFrame(
    {
        "key": ["k1", "k2", "k3", "k4"],
        "nights": [1, 2, 3, 4],
        "room": [101, 102, 101, 102],
        "arrival": ["2020-01-01", "2020-01-02", "2020-01-03", "2020-01-04"],
        "email": ["a@x.org", "b@x.org", "c@x.org", None],
        "fee": [0.5, None, 1.5, 2.5],
        "member": [True, False, True, False],
        "label": ["no", "yes", "yes", "no"],
    }
)
SDTYPES = {
    **{"key": "id", "nights": "numerical", "room": "ordinal", "arrival": "datetime"},
    **{"email": "email", "fee": "numerical", "member": "boolean", "label": "categorical"},
}


def objects():
    """Return what the bucket holds of a table: its rows, and metadata for either line of SDV."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("guests.csv", FRAME.to_csv(index=False))
    columns = {name: {"sdtype": sdtype} for name, sdtype in SDTYPES.items()}
    older = {**columns, "room": {"sdtype": "categorical", "order_by": "numerical_value"}}
    described = {
        f"single_table/guests/metadata_{version}.json": {
            "METADATA_SPEC_VERSION": version,
            "tables": {"guests": {"columns": of_version, "primary_key": "key"}},
            "relationships": [],
        }
        for version, of_version in (("V1", older), ("V2", columns))
    }
    return {
        "single_table/guests/data.zip": archive.getvalue(),
        **{key: json.dumps(metadata).encode() for key, metadata in described.items()},
    }


class Bucket(BaseHTTPRequestHandler):
    """Answers the two questions that the loader asks: what is there, and what does it hold."""

    held = objects()

    def do_GET(self):
        url = urlsplit(self.path)
        key = url.path.removeprefix(f"/{BUCKET}").strip("/")
        body = self.held[key] if key else self.listing(parse_qs(url.query)["prefix"][0])
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def listing(self, prefix):
        found = "".join(
            f"<Contents><Key>{key}</Key></Contents>" for key in self.held if key.startswith(prefix)
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>".encode()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def bucket(monkeypatch):
    """Serve the bucket, and send SDV's client there and nowhere else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.shutdown()
    server.server_close()


def test_columns_are_what_the_metadata_says(bucket, capsys):
    table = data.load("sdv:guests")
    assert (table.continuous, table.target) == (["nights", "fee"], "label")
    assert table.categorical == ["room", "member", "label"]
    assert table.frame.to_numpy().tolist() == [
        [1, 0.5, 101, "True", "no"],
        [3, 1.5, 101, "True", "yes"],
        [4, 2.5, 102, "False", "no"],
    ]
    assert capsys.readouterr().err.splitlines() == [
        "sdv:guests is downloaded from SDV's public bucket of demo tables, and not kept",
        "sdv:guests: columns that are neither numbers nor categories are left out: "
        "['key', 'arrival', 'email']",
        "sdv:guests: 1 of 4 rows have missing cells and are left out",
        "sdv:guests: the target is 'label', the last column of categories",
    ]


def test_another_target_is_named_behind_the_table(bucket):
    assert data.load("sdv:guests#room").target == "room"
    with pytest.raises(ValueError, match=r"however: 'key'; .*'room', 'member', 'label', 'nights'\]"):
        data.load("sdv:guests#key")


def test_a_table_that_is_not_there_is_named(bucket):
    with pytest.raises(DemoResourceNotFoundError, match="'strange'"):
        data.load("sdv:strange")


def test_without_a_network_the_table_and_the_way_out_are_named(bucket, monkeypatch):
    bucket.shutdown()
    bucket.server_close()
    way_out = r"^sdv:guests cannot be downloaded: .*file:NAME.parquet.*--data-dir"
    with pytest.raises(ConnectionError, match=way_out) as told:
        data.load("sdv:guests")
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__
