"""README's example of the plugin."""

import readme


def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, drawn = readme.run("synthcity")
    rows = drawn.dataframe()
    assert list(rows.columns) == list(names["frame"].columns)
    assert set(rows["species"]) == {"virginica"}
