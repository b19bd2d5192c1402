"""``macode fit``, and ``macode info`` of what it saves."""

import re

import pandas as pd
from command_line import ok, run

from macode_plugin import MaCoDE, cli


def test_fit_says_what_it_saved_and_info_shows_it(folder, tmp_path):
    path = tmp_path / "m.macode"
    said = ok("fit", folder / "data.csv", "-o", path, "--epochs", 2, "--categorical", "grade")
    assert said == f"saved {path}: 80 rows, 7 columns, 2 epochs\n"
    shown = ok("info", path)
    assert "7 columns, 2 epochs" in shown
    assert "MaCoDE(epochs=2, random_state=0)" in shown
    assert re.search(r"^grade +categorical +1, 2, 3 +3$", shown, re.M)
    assert re.search(r"^day +numeric +2021-01-\d\d 00:00:00 to 2021-", shown, re.M)
    assert max(map(len, shown.splitlines()[1:])) <= 80


def test_fit_passes_its_options_on(folder, tmp_path):
    path = tmp_path / "m.macode"
    ok(
        *("fit", folder / "data.parquet", "-o", path, "--paper", "--epochs", 1, "--missing", "model"),
        *("--seed", 5, "--max-time", 100, "--device", "cpu", "--quiet"),
    )
    expected = MaCoDE.paper(epochs=1, missing="model", random_state=5, device="cpu", verbose=False)
    assert MaCoDE.load(path).get_params() == expected.get_params()
    assert "or missing" in ok("info", path)


def test_quiet_fit_says_nothing_and_is_repeatable(folder, tmp_path):
    args = ("fit", folder / "data.csv", "--epochs", 1, "--quiet", "-o")
    first, second = (run(*args, tmp_path / name) for name in ("1", "2"))
    assert first.output == ""
    assert second.output == ""
    draws = [MaCoDE.load(tmp_path / name).sample(20, random_state=0) for name in ("1", "2")]
    pd.testing.assert_frame_equal(*draws)


def test_codes_are_text_and_fit_says_so(codes, tmp_path):
    result = run("fit", codes / "data.csv", "-o", tmp_path / "m", "--epochs", 1, "--quiet")
    zeros, mark = result.stderr.splitlines()
    assert zeros.startswith("macode: warning: column 'zip' has leading zeros, such as '07804'")
    assert "(--text zip asks for that" in zeros
    assert mark.startswith("macode: warning: column 'land' has 'NA'")
    named = ("--text", "zip", "--text", "land", "--text", "ward")
    result = run("fit", codes / "data.csv", "-o", tmp_path / "m", "--epochs", 1, "--quiet", *named)
    assert (result.exit_code, result.stderr) == (0, "")
    shown = ok("info", tmp_path / "m")
    assert re.search(r"^zip +categorical +01234, 07804, 10001 +3$", shown, re.M)
    assert re.search(r"^land +categorical +DE, NA +2$", shown, re.M)
    assert re.search(r"^ward +categorical +12, 3 +2$", shown, re.M)
    assert re.search(r"^x +numeric ", shown, re.M)


def test_ctrl_c_in_training_still_saves(folder, tmp_path, monkeypatch):
    from macode_plugin.training import Trainer

    honest = Trainer.run_epoch

    def interrupted(self):
        if self.epoch == 1:
            raise KeyboardInterrupt
        return honest(self)

    monkeypatch.setattr(Trainer, "run_epoch", interrupted)
    path, checkpoint = tmp_path / "m.macode", tmp_path / "state"
    args = ("fit", folder / "data.csv", "-o", path, "--epochs", 3, "--checkpoint", checkpoint)
    result = run(*args)
    assert result.exit_code == 0
    assert "macode: warning: training was interrupted after 1 epochs" in result.stderr
    assert f"{checkpoint} keeps the state" in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == f"saved {path}: 80 rows, 7 columns, 1 epochs\n"
    assert checkpoint.exists()
    monkeypatch.undo()
    assert ok(*args).endswith("3 epochs\n")
    assert not checkpoint.exists()


def test_ctrl_c_elsewhere_is_130(folder, tmp_path, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read_table", interrupted)
    result = run("fit", folder / "data.csv", "-o", tmp_path / "m.macode")
    assert result.exit_code == 130
    assert result.output == ""
