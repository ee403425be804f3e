"""A stand-in for the Hugging Face hub: folders of this machine, served as its file API serves them.

What it answers is what huggingface_hub and datasets ask for: a revision's commit, the listing of a
folder of a commit, and files. As on the hub, large files lie on another host, whose address the
hub's answer holds, and that host is shown no token.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

TOKEN = "hf_standin"
LARGE = (".safetensors", ".parquet")
"""Ends of the names of files that are kept by their SHA-256."""


@dataclass(frozen=True)
class Repository:
    """A folder, as one commit of a repository; ``kind`` is "models" or "datasets"."""

    name: str
    folder: Path
    kind: str = "models"
    gated: bool = False
    commit: str = "0123456789abcdef0123456789abcdef01234567"
    branch: str = "main"

    def has(self, revision: str) -> bool:
        return revision in (self.commit, self.branch)

    def listing(self, folder: str, recursive: bool) -> list[dict[str, object]]:
        found = (self.folder / folder).glob("**/*" if recursive else "*")
        return [self._entry(path) for path in sorted(found)]

    def _entry(self, path: Path) -> dict[str, object]:
        name = path.relative_to(self.folder).as_posix()
        if path.is_dir():
            return {"type": "directory", "path": name, "oid": "0" * 40}
        content = path.read_bytes()
        entry = {"type": "file", "path": name, "size": len(content), "oid": git_blob(content)}
        if name.endswith(LARGE):
            oid = sha256(content).hexdigest()
            entry["lfs"] = {"oid": oid, "size": len(content), "pointerSize": 130}
        return entry


def git_blob(content: bytes) -> str:
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True)
class Request:
    """What was asked for: ``what`` is "revision", "tree", or the name of a file."""

    method: str
    what: str
    start: int
    token: str | None


Fault = Callable[["Handler", bytes], bytes | None]
"""What a server does instead of sending content: content to send, or None if it is all done."""


@dataclass
class Hub:
    """What is served, what goes wrong, and what was asked for."""

    repositories: list[Repository]
    faults: dict[tuple[str, str], Fault] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> str:
        """Where large files lie; another host to those who look at its name."""
        return f"http://localhost:{self.port}/store"

    def environment(self, home: Path, **others: str) -> dict[str, str]:
        """Settings of huggingface_hub by which it takes this for the hub."""
        hosts = {"HF_ENDPOINT": self.endpoint, "NO_PROXY": "127.0.0.1,localhost"}
        # A token that the machine has is none of this hub's.
        place = {"HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_TOKEN": ""}
        return hosts | place | others

    def fetched(self) -> list[str]:
        """Files whose content was asked for."""
        return [r.what for r in self.requests if r.method == "GET" and "." in r.what]


class Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        for pattern, answer in (
            (r"/store/(\w+)/(.+)", self._store),
            (r"/api/(models|datasets)/([^/]+/[^/]+)/(\w+)/([^/]+)/?(.*)", self._look_up),
            (r"/(?:(datasets)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", self._file),
        ):
            if found := re.fullmatch(pattern, path):
                answer(*(unquote(group or "") for group in found.groups()))
                return
        self.refuse(404, "")

    do_HEAD = do_GET  # noqa: N815

    def _look_up(self, kind: str, name: str, what: str, revision: str, path: str) -> None:
        repository = self._repository(kind, name, what, revision)
        if repository is None:
            return
        if what == "revision":
            found = {"id": name, "sha": repository.commit, "siblings": []}
        elif (repository.folder / path).is_dir():
            found = repository.listing(path, "recursive=true" in self.path)
        else:
            self.refuse(404, "EntryNotFound")
            return
        self._send(what, json.dumps(found).encode(), {"Content-Type": "application/json"})

    def _file(self, kind: str, name: str, revision: str, file: str) -> None:
        repository = self._repository(kind or "models", name, file, revision, shut=True)
        if repository is None:
            return
        path = repository.folder / file
        if not path.is_file():
            self.refuse(404, "EntryNotFound")
            return
        content, commit = path.read_bytes(), {"X-Repo-Commit": repository.commit}
        if not file.endswith(LARGE):
            self._send(file, content, commit | {"ETag": f'"{git_blob(content)}"'})
            return
        oid = sha256(content).hexdigest()
        linked = {"X-Linked-ETag": f'"{oid}"', "X-Linked-Size": str(len(content))}
        place = {"Location": f"{self.hub.store}/{oid}/{file}"}
        self._send(file, b"", commit | linked | place, status=302)

    def _store(self, oid: str, file: str) -> None:
        for repository in self.hub.repositories:
            path = repository.folder / file
            if path.is_file() and sha256(content := path.read_bytes()).hexdigest() == oid:
                self._note(f"store:{file}")
                self._send(f"store:{file}", content, {"ETag": f'"{oid}"'}, noted=True)
                return
        self.refuse(404, "")

    def _repository(
        self, kind: str, name: str, what: str, revision: str, shut: bool = False
    ) -> Repository | None:
        """The repository, or None once it is refused; what is gated shows its listing only."""
        found = [r for r in self.hub.repositories if (r.kind, r.name) == (kind, name)]
        if not found:
            # The hub does not tell strangers whether a repository exists.
            self.refuse(404 if self._token() else 401, "RepoNotFound")
        elif not found[0].has(revision):
            self.refuse(404, "RevisionNotFound")
        elif found[0].gated and shut and self._token() != TOKEN:
            self.refuse(403 if self._token() else 401, "GatedRepo")
        else:
            return found[0]
        self._note(what)
        return None

    def _token(self) -> str | None:
        return self.headers.get("Authorization", "").removeprefix("Bearer ") or None

    def _start(self) -> int:
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else 0

    def _note(self, what: str) -> None:
        self.hub.requests.append(Request(self.command, what, self._start(), self._token()))

    def _send(
        self,
        what: str,
        content: bytes,
        headers: dict[str, str],
        status: int = 200,
        noted: bool = False,
    ) -> None:
        if not noted:
            self._note(what)
        if fault := self.hub.faults.get((self.command, what)):
            changed = fault(self, content)
            if changed is None:
                return
            content = changed
        if start := self._start():
            total = len(content)
            content, status = content[start:], 206
            headers = headers | {"Content-Range": f"bytes {start}-{total - 1}/{total}"}
        self.answer(status, content, headers)

    def refuse(self, status: int, code: str) -> None:
        self.answer(status, b"", {"X-Error-Code": code} if code else {})

    def answer(
        self, status: int, content: bytes, headers: dict[str, str], sent: int | None = None
    ) -> None:
        """Answer with the headers of content and so many bytes of it; all by default."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[:sent])
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        pass


def missing(handler: Handler, _: bytes) -> None:
    handler.refuse(404, "EntryNotFound")


def silent(handler: Handler, _: bytes) -> None:
    """Never answer."""
    handler.hub.closing.wait()
    handler.close_connection = True


def damaged(_: Handler, content: bytes) -> bytes:
    """Other bytes, of the same number."""
    return content[:-1] + bytes([content[-1] ^ 1])


def broken_off(after: int, times: int) -> Fault:
    """Break off after so many bytes, so many times."""
    left = [times]

    def fault(handler: Handler, content: bytes) -> bytes | None:
        if left[0] == 0:
            return content
        left[0] -= 1
        handler.answer(200, content, {}, sent=after)
        handler.close_connection = True
        return None

    return fault


def stuck(after: int) -> Fault:
    """Say nothing more after so many bytes."""

    def fault(handler: Handler, content: bytes) -> None:
        handler.answer(200, content, {}, sent=after)
        silent(handler, b"")

    return fault


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    """Serve on a free port of this machine, until the end of the block."""
    handler = type("HandlerOfHub", (Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)
