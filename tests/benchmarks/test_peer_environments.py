"""Where peers run: environments made on first use, and scripts that need nothing of this project."""

import ast
import subprocess
import zipfile

import pytest

pytest.importorskip("geomloss", reason="the bench extra is not installed")

from benchmarks import peer_environments, peers


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A function that writes an empty package for pip, which has no network, and returns its path."""

    def wheel(name):
        path = tmp_path / f"{name}-1.0-py3-none-any.whl"
        about = f"{name}-1.0.dist-info"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(f"{name}.py", "")
            archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
            archive.writestr(
                f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            archive.writestr(f"{about}/RECORD", "")
        return str(path)

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(peer_environments, "_PIP", wheel("no_pip"))
    return wheel


def test_an_environment_is_made_once_and_again_when_its_requirements_change(
    wheels, tmp_path, monkeypatch
):
    home, said = tmp_path / "environments" / "some", []
    absent = str(tmp_path / "absent-1.0-py3-none-any.whl")

    def prepare(*requirements):
        monkeypatch.setitem(peer_environments.REQUIREMENTS, "some", requirements)
        said.clear()
        python = peer_environments.prepare("some", home.parent, said.append)
        return {name: imports(python, name) for name in ("first", "extra")}

    def imports(python, name):
        return subprocess.run([python, "-c", f"import {name}"], capture_output=True).returncode == 0

    # What is not needed is taken out again.
    monkeypatch.setitem(peer_environments._REMOVED, "some", ("extra",))
    first = wheels("first")
    assert prepare(first, wheels("extra")) == {"first": True, "extra": False}
    assert first in said[0]
    assert str(home) in said[0]
    assert prepare(first, wheels("extra"))["first"]
    assert not said
    with pytest.raises(peer_environments.EnvironmentFailed, match=r"some was not installed: .*absent"):
        prepare(absent)
    assert absent in said[0]
    assert "absent" in (home / "macode-peer-install.log").read_text()
    assert not (home / "requirements.txt").exists()  # so that it is made again next time


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    kept = tmp_path / "ctgan" / "thesis.txt"
    kept.parent.mkdir()
    kept.write_text("years of work")
    with pytest.raises(peer_environments.EnvironmentFailed, match=r"ctgan.*holds something else"):
        peer_environments.prepare("ctgan", tmp_path, pytest.fail)
    assert kept.read_text() == "years of work"


def test_environments_are_kept_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert peer_environments.default_folder() == tmp_path / "macode_plugin" / "peers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert peer_environments.default_folder() == tmp_path / ".cache" / "macode_plugin" / "peers"


def test_scripts_of_peers_import_nothing_of_this_project():
    scripts = {peer.script for peer in peers.PEERS.values() if peer.environment is not None}
    for script in [*scripts, "protocol.py"]:
        tree = ast.parse((peers.WORKERS / script).read_text())
        imported = {
            name.split(".")[0]
            for node in ast.walk(tree)
            for name in (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in getattr(node, "names", []) if hasattr(alias, "asname")]
            )
        }
        assert imported
        assert not imported & {"benchmarks", "macode_plugin", "tests"}
