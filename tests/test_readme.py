"""README's examples that need no host."""

import readme


def test_the_examples_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, (low, high) = readme.run()
    # The table's own petals are 1.2 cm wide on the mean.
    assert low < 1.2 < high
    assert len(names["copies"]) == 20
    assert not any(copy.isna().any(axis=None) for copy in names["copies"])
    assert (tmp_path / "iris.macode").exists()
