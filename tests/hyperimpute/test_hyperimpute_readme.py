"""README's example of the imputer."""

import readme


def test_the_example_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, filled = readme.run("hyperimpute")
    gaps = names["gaps"]
    assert not filled.isna().any(axis=None)
    assert filled.to_numpy()[gaps.notna()].tolist() == gaps.to_numpy()[gaps.notna()].tolist()
