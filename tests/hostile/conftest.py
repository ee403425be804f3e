"""Input of whoever wishes the reader ill, and what is held against it."""

import json
import resource
import socket
import struct
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from qatlas.errors import AtlasError

SECONDS = 20
MEMORY_MB = 500
LONGEST_MESSAGE = 2500


@contextmanager
def readable_refusal(*named):
    """The block is refused soon, cheaply, and in a message for people that has these words."""
    started, before = time.process_time(), _largest_memory_mb()
    with pytest.raises(AtlasError) as raised:
        yield
    assert time.process_time() - started < SECONDS
    assert _largest_memory_mb() - before < MEMORY_MB
    message = str(raised.value)
    assert len(message) < LONGEST_MESSAGE
    assert all(letter.isprintable() or letter == "\n" for letter in message), repr(message)
    for word in named:
        assert str(word) in message, message


def _largest_memory_mb():
    """Of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def forbidden(*arguments, **_):
    raise AssertionError(f"hostile input started something: {arguments[:2]}")


@pytest.fixture(autouse=True)
def _nothing_is_run(monkeypatch, tmp_path_factory):
    """No process is started, no connection made, and no module of a checkpoint imported."""

    monkeypatch.setattr(subprocess.Popen, "__init__", forbidden)
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    before = set(sys.modules)
    yield
    root = str(tmp_path_factory.getbasetemp())
    loaded = {
        name: getattr(sys.modules[name], "__file__", None) for name in {*sys.modules} - before
    }
    assert not [name for name, file in loaded.items() if file and file.startswith(root)]


def safetensors_bytes(header, data=b"", length=None):
    """A file with this header, given as an object or as it is written."""
    written = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(written) if length is None else length) + written + data


def tensor(start, stop, shape, dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def write_checkpoint(folder, files):
    """Write a folder's files: bytes, or an object as JSON."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        written = content if isinstance(content, bytes) else json.dumps(content).encode()
        (Path(folder) / name).write_bytes(written)
    return Path(folder)
