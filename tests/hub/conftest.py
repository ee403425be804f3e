"""A hub on this machine, and what a fresh process is told by it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.repositories import llama, write_dataset, write_llama
from tests.hub.server import Hub, Repository, serving

SOURCE = str(Path(__file__).parents[2] / "src")
CODE = """
import importlib, json, sys
from qatlas.errors import AtlasError
module, name, calls = sys.argv[1:]
call = getattr(importlib.import_module(module), name)
for arguments in json.loads(calls):
    try:
        made = call(*arguments)
        print(json.dumps(["made", made.to_dict("list") if hasattr(made, "to_dict") else str(made)]))
    except AtlasError as error:
        print(json.dumps(["refused", str(error)]))
"""


class Client:
    """Runs a function in a process of its own, which reads huggingface_hub's settings anew."""

    def __init__(self, hub: Hub, home: Path) -> None:
        self.hub, self.home = hub, home

    def start(self, function: str, *calls: tuple, **settings: str) -> subprocess.Popen:
        module, _, name = function.rpartition(".")
        environment = self.hub.environment(self.home, PYTHONPATH=SOURCE, **settings)
        return subprocess.Popen(
            [sys.executable, "-c", CODE, module, name, json.dumps(calls)],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def outcomes(self, function: str, *calls: tuple, **settings: str) -> list[list]:
        """Of each call ``["made", what]`` or ``["refused", message]``."""
        running = self.start(function, *calls, **settings)
        told, errors = running.communicate(timeout=180)
        assert running.returncode == 0, errors
        return [json.loads(line) for line in told.splitlines()]

    def fetch(self, repository: str, revision: str = "main", **settings: str) -> list:
        (outcome,) = self.outcomes(
            "qatlas.weights.hub.hub_folder", (repository, revision), **settings
        )
        return outcome

    def refusal(self, repository: str, revision: str = "main", **settings: str) -> str:
        outcome, message = self.fetch(repository, revision, **settings)
        assert outcome == "refused", message
        return message

    def unfinished(self) -> list[Path]:
        """Files in the cache that are parts of files."""
        return list(self.home.rglob("*.incomplete"))


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A small Llama in two shards, and a dataset of three splits."""
    place = tmp_path_factory.mktemp("repositories")
    write_llama(place / "llama", llama(0))
    write_dataset(place / "text", "raw")
    return {name: place / name for name in ("llama", "text")}


@pytest.fixture
def hub(folders) -> Iterator[Hub]:
    repositories = [
        Repository("acme/tiny", folders["llama"]),
        Repository("acme/gated", folders["llama"], gated=True),
        Repository("acme/text", folders["text"], kind="datasets"),
    ]
    with serving(Hub(repositories)) as running:
        yield running


@pytest.fixture
def client(hub, tmp_path) -> Client:
    return Client(hub, tmp_path / "home")
