"""Model files: tensors and a JSON description in one safetensors file, which runs no code on load.

Layout (version 3): the header's metadata holds ``format`` ("macode-model" or
"macode-checkpoint"), ``version``, ``description`` (JSON) and ``checksum``, the SHA-256 of the
description and of every tensor's name, type, shape and bytes in the order of their names.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

__all__ = ["FORMAT_VERSION", "ModelFileError", "arrays_to_tensors", "read", "tensors_under", "write"]

FORMAT_VERSION = 3
"""Version of the layout and of the networks: version 1 had feed-forward layers without a gate, version 2
biases in the transformer's layers."""


class ModelFileError(ValueError):
    """A file that is not a whole, unaltered model of a version known here."""


def write(path: str | Path, kind: str, description: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a file, replacing an old one only once the new one is complete.

    Arguments
    ---------
    path : str or Path
    kind : str
        What the file holds, "model" or "checkpoint".
    description : dict
        Anything JSON can hold.
    tensors : dict of str to Tensor

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"no such folder: {path.parent}")
    text = json.dumps(description)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    metadata = {
        "format": f"macode-{kind}",
        "version": str(FORMAT_VERSION),
        "description": text,
        "checksum": _checksum(text, tensors),
    }
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        mode = _default_mode(partial)
        save_file(tensors, partial, metadata=metadata)
        partial.chmod(mode)  # safetensors makes files for their owner alone
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read(path: str | Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the description and the tensors of a file, on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If it is something else, cut short, altered, or of another version than this release reads.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            _check_version(path, kind, metadata)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelFileError(f"{path} is not a model file, or is cut short: {error}") from error
    if _checksum(metadata.get("description", ""), tensors) != metadata.get("checksum"):
        raise ModelFileError(f"{path} was altered: its checksum does not match; restore it from a copy")
    return json.loads(metadata["description"]), tensors


def _default_mode(path: Path) -> int:
    """Return the permissions that a new file gets at ``path``, by making one."""
    path.touch()
    return path.stat().st_mode


def _check_version(path: str | Path, kind: str, metadata: dict[str, str]) -> None:
    found = metadata.get("format", "something else")
    if found != f"macode-{kind}":
        raise ModelFileError(f"{path} is no macode {kind}: it holds {found}")
    version = metadata.get("version", "")
    if version != str(FORMAT_VERSION):
        older = version.isdigit() and int(version) < FORMAT_VERSION
        raise ModelFileError(
            f"{path} has format version {version or '(none)'}; this release reads {FORMAT_VERSION}: "
            + ("fit the model anew" if older else "upgrade macode_plugin")
        )


def _checksum(text: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    return digest.hexdigest()


def arrays_to_tensors(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    """Return arrays as tensors whose names begin with ``prefix``."""
    return {f"{prefix}.{name}": torch.from_numpy(np.array(array)) for name, array in arrays.items()}


def tensors_under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors whose names begin with ``prefix``, without it."""
    return {k[len(prefix) + 1 :]: v for k, v in tensors.items() if k.startswith(f"{prefix}.")}
