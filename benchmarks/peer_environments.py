"""A virtual environment for each peer whose dependencies clash with the others' (Linux and macOS).

One is made with ``venv`` and ``pip`` when it is first needed, and used again as long as the
requirements written here are those that it was made from. What pip is about to install is said
before it starts. On Linux, PyPI's torch brings CUDA libraries with it: several GB an environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = [
    "REQUIREMENTS",
    "EnvironmentFailed",
    "clean_variables",
    "default_folder",
    "last_line",
    "prepare",
]

# Pins of what decides whether a peer imports and runs; pip chooses the rest. rdt 2 belongs to SDV 2.
# pyarrow 22 and later need numpy 2, which macode and synthcity exclude; setup.cfg tells why
# synthcity needs its other pins.
REQUIREMENTS = {
    "authors": ("macode==1.0.1", "pyarrow==21.0.0"),
    "ctgan": (
        *("ctgan==0.12.1", "rdt==1.22.0", "torch==2.13.0"),
        *("numpy==2.2.6", "pandas==2.3.3", "pyarrow==21.0.0"),
    ),
    "synthcity": (
        *("synthcity==0.2.12", "arfpy==0.1.1", "torch==2.2.2", "opacus==1.5.3", "optuna==4.9.0"),
        *("ipython", "numpy==1.26.4", "pandas==2.3.3", "pyarrow==21.0.0"),
    ),
    "tabularargn": (
        *("mostlyai-engine==2.7.3", "torch==2.13.0", "opacus==1.6.0", "accelerate==1.15.0"),
        *("transformers==5.23.0", "peft==0.21.2", "datasets==5.2.0", "xgrammar==0.2.8"),
        *("numpy==2.4.6", "pandas==3.1.1", "pyarrow==26.0.1", "scikit-learn==1.9.1"),
    ),
}
"""What pip is given for each environment. mostlyai-engine needs Python 3.11 or later."""

# Needed for no table, and not to be imported beside a torch of another build, such as one for the
# processor alone.
_REMOVED = {"tabularargn": ("torchvision", "torchaudio")}

_PIP = "pip==26.3"  # those that come with Python 3.10 and 3.11 take very long over synthcity


class EnvironmentFailed(RuntimeError):
    """An environment could not be made."""


def default_folder() -> Path:
    """Return where environments are kept if the user names no folder."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "macode_plugin" / "peers"


def prepare(name: str, folder: Path, say: Callable[[str], None]) -> Path:
    """Return the interpreter of an environment, which is made unless it is there already.

    Arguments
    ---------
    name : str
        One of :data:`REQUIREMENTS`.
    folder : Path
        The environment is the folder ``name`` in it.
    say : callable
        Told what will be installed, and where, before it is.

    Raises
    ------
    EnvironmentFailed
        If pip fails, or the folder exists and is not an environment made here.
    """
    home = (folder / name).absolute()
    python, record = home / "bin" / "python", home / "requirements.txt"
    removed = _REMOVED.get(name, ())
    wanted = "\n".join([_PIP, *REQUIREMENTS[name], *(f"without {package}" for package in removed)])
    # The record is written last: an installation that was stopped half-way has none.
    if python.exists() and record.exists() and record.read_text() == wanted:
        return python
    log = home / "macode-peer-install.log"  # by its name a folder is known to be ours, to be replaced
    if home.exists() and not log.exists():
        raise EnvironmentFailed(
            f"{home} is to be the environment of {name} but holds something else: name another folder"
        )
    packages = ", ".join((_PIP, *REQUIREMENTS[name]))
    say(f"installing {packages} and what they need into {home} (log: {log})")
    if home.exists():
        shutil.rmtree(home)
    home.mkdir(parents=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    commands = [
        [sys.executable, "-m", "venv", str(home)],
        [*pip, "install", _PIP],
        [*pip, "install", *REQUIREMENTS[name]],
    ]
    if removed:
        commands.append([*pip, "uninstall", "--yes", *removed])
    with log.open("w") as output:
        for command in commands:
            if subprocess.run(command, env=clean_variables(), stdout=output, stderr=output).returncode:
                raise EnvironmentFailed(f"{name} was not installed: {last_line(log)} (log: {log})")
    record.write_text(wanted)
    return python


def clean_variables() -> dict[str, str]:
    """Return this process's environment variables but those that lend packages to another Python."""
    return {k: v for k, v in os.environ.items() if k not in ("PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV")}


def last_line(log: Path) -> str:
    """Return the last line of a log that says something."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1] if lines else "nothing in its log"
