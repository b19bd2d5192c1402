"""``macode demo``: the files it writes and what it prints."""

import base64
import re

import pandas as pd
from command_line import run

import macode_plugin
from macode_plugin import MaCoDE


def test_demo_writes_a_sample_a_model_and_a_report(tmp_path):
    out = tmp_path / "new" / "demo"
    result = run("demo", "--out", out, "--epochs", 2, "--seed", 1)
    assert result.exit_code == 0
    assert "2/2" in result.stderr  # progress
    said = result.stdout
    assert re.search(r"^training rows: +455$", said, re.M)
    assert re.search(r"^version: +macode " + re.escape(macode_plugin.__version__), said, re.M)
    assert re.search(r"^detector AUC +0\.\d{3} +0\.\d{3} +0\.5$", said, re.M)
    assert "114 rows" in said
    # A library of synthcity's prints a line of its own when it is first imported.
    ours = [line for line in said.replace(str(out), "").splitlines() if not line.startswith("[KeOps]")]
    assert max(map(len, ours)) <= 80
    rows = pd.read_csv(out / "synthetic.csv")
    assert rows.shape == (455, 31)
    assert set(rows["diagnosis"]) == {"malignant", "benign"}
    assert len(MaCoDE.load(out / "model.macode").history_) == 2
    page = (out / "report.html").read_text(encoding="utf-8")
    images = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]+)" alt="[^"]+">', page)
    assert page.count("<img") == len(images) == 31 + 3 + 1
    assert not re.search("https?://", page)
    assert not any(re.search(rb'href="(?!#|data:)', base64.b64decode(image)) for image in images)
