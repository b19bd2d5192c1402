"""README's example of the synthesizer."""

import pytest
import readme
from both_lines import TWO


@pytest.mark.skipif(not TWO, reason="README's code is for SDV 2.0")
def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, rows = readme.run("sdv")
    assert rows["species"].tolist() == names["frame"]["species"].tolist()
