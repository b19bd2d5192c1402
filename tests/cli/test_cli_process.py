"""The command line as a program: its version, its help, and a process of its own."""

import re
import signal
import subprocess
import sys

import pytest
from command_line import ROOT, ok

import macode_plugin
from macode_plugin import MaCoDE


def process(*args):
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "macode_plugin", *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_version():
    assert ok("--version") == f"macode {macode_plugin.__version__}\n"


@pytest.mark.parametrize("command", [(), ("demo",), ("fit",), ("sample",), ("evaluate",), ("info",)])
def test_help_reads_well_at_80_columns(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = ok(*command, "--help")
    assert max(map(len, text.splitlines())) <= 80
    assert "macode " in text.split("Options:")[1]  # an example


def test_module_runs(folder, tmp_path):
    result = process("--version")
    assert (result.returncode, result.stdout) == (0, f"macode {macode_plugin.__version__}\n")
    result = process("sample", folder / "m.macode", "-n", 2, "-o", tmp_path / "s.csv", "--given", "x=1")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("macode: error: the table has no column 'x'")
    result = process("fit", folder / "data.csv", "-o", tmp_path / "m", "--epochs", 1)
    assert result.returncode == 0
    assert result.stdout.startswith("saved ")


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
def test_ctrl_c_in_a_process_keeps_the_model(folder, tmp_path):
    path = tmp_path / "m.macode"
    command = [sys.executable, "-m", "macode_plugin", "fit", folder / "data.csv", "-o", path]
    with subprocess.Popen(
        [*map(str, command), "--epochs", "1000000"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        # A shell starts what runs in its background deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as running:
        shown = b""
        while not re.search(rb"[1-9]\d*/1000000", shown):
            chunk = running.stderr.read1()
            assert chunk, shown
            shown += chunk
        running.send_signal(signal.SIGINT)
        shown += running.stderr.read()
    assert running.returncode == 0, shown.decode()
    assert b"Traceback" not in shown
    assert len(MaCoDE.load(path).history_) >= 1


def test_help_needs_nothing_heavy():
    code = (
        "import sys, macode_plugin.cli as cli\n"
        "try: cli.app(['--help'], prog_name='macode')\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib', 'scipy', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
