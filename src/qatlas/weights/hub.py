"""Repositories of the Hugging Face hub: fetched whole, checked, or refused in words."""

import re
from collections.abc import Sequence
from hashlib import file_digest, sha1
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from qatlas.errors import AtlasError, said
from qatlas.weights.snapshot import SNAPSHOT_FILES

if TYPE_CHECKING:
    from httpx2 import Client, Request

_SHA256 = re.compile("[0-9a-f]{64}")
_GIT_BLOB = re.compile("[0-9a-f]{40}")
_BLOCK = 2**20


def hub_folder(repository: str, revision: str) -> Path:
    """Folder of a model of the hub, fetched unless it is in the cache.

    Only ``SNAPSHOT_FILES`` of the top folder are fetched.

    Parameters
    ----------
    repository
        "owner/name".
    revision
        Commit hash, branch or tag.

    Raises
    ------
    AtlasError
        As ``repository_files``.
    """
    return repository_files("model", repository, revision, SNAPSHOT_FILES, ["*/*"])


def repository_files(
    kind: Literal["model", "dataset"],
    repository: str,
    revision: str,
    wanted: Sequence[str],
    unwanted: Sequence[str] = (),
) -> Path:
    """Folder of a repository's files, fetched unless they are in the cache, and checked.

    Cache, token, endpoint, offline mode and time-outs are those of huggingface_hub (HF_HOME,
    HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT). A connection that breaks is
    resumed where it broke; files that are whole are not fetched again.

    Parameters
    ----------
    kind
        What the repository is.
    repository
        "owner/name".
    revision
        Commit hash, branch or tag.
    wanted, unwanted
        Patterns of the files to fetch, and of those among them to leave out.

    Raises
    ------
    AtlasError
        If the repository, the revision or a file does not exist, is gated, the hub cannot be
        reached or answers too late, or a file is not what its checksum says.
    """
    from huggingface_hub import set_client_factory, snapshot_download

    # Which HTTP library it stands on, and so this class, differs between its versions.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    called = f"{kind} {repository} at revision {revision!r}"
    set_client_factory(_client_that_gives_up)
    try:
        folder = Path(
            snapshot_download(
                repository,
                repo_type=kind,
                revision=revision,
                allow_patterns=list(wanted),
                ignore_patterns=list(unwanted),
            )
        )
    # What answers and is no hub says anything.
    except (HTTPError, OSError, ValueError, LookupError, TypeError, AssertionError) as error:
        raise AtlasError(
            f"{called} was not fetched from the hub: {_advice(error)} "
            f"({type(error).__name__}: {said(error)})"
        ) from error
    for path in sorted(path for path in folder.rglob("*") if path.is_symlink()):
        _require_checksum(path, called)
    return folder


def _client_that_gives_up() -> "Client":
    """The client of huggingface_hub, whose look-ups would wait for an answer for ever."""
    from huggingface_hub.utils._http import default_client_factory

    client = default_client_factory()
    hooks = client.event_hooks
    client.event_hooks = hooks | {"request": [*hooks["request"], _give_up]}
    return client


def _give_up(request: "Request") -> None:
    """Let no part of a request take longer than the time-outs of huggingface_hub."""
    from huggingface_hub.constants import HF_HUB_DOWNLOAD_TIMEOUT, HF_HUB_ETAG_TIMEOUT

    longest = max(HF_HUB_DOWNLOAD_TIMEOUT, HF_HUB_ETAG_TIMEOUT)
    given: dict[str, Any] = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        step: min(given.get(step) or longest, longest)
        for step in ("connect", "read", "write", "pool")
    }


def _require_checksum(path: Path, called: str) -> None:
    """Refuse a file of the cache that is not what its name in there says, and remove it.

    huggingface_hub compares sizes alone. A snapshot's file is a link to a blob, whose name is its
    ETag: the SHA-256 of a large file, and of a small one the checksum of its git blob. Other hubs
    than huggingface.co may name them otherwise.
    """
    blob = path.parent / path.readlink()
    expected = blob.name
    if _SHA256.fullmatch(expected):
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
    elif _GIT_BLOB.fullmatch(expected):
        found = _git_blob(path)
    else:
        return
    if found != expected:
        # What the blob may be a link to in turn is no more trustworthy.
        for damaged in (path.resolve(), blob, path):
            damaged.unlink(missing_ok=True)
        raise AtlasError(
            f"{called}: {path.name} is not what the hub says that it is: its checksum is {found}, "
            f"and should be {expected}; it was removed from the cache, so run again to fetch it "
            "anew; if it happens again, HF_ENDPOINT or a proxy changes what it passes on"
        )


def _git_blob(path: Path) -> str:
    checksum = sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            checksum.update(block)
    return checksum.hexdigest()


def _advice(error: Exception) -> str:
    """What to do about an error; subclasses stand before their bases."""
    from huggingface_hub import errors

    advice = (
        (
            errors.GatedRepoError,
            "access is gated; accept its terms on its page, then set HF_TOKEN to a token of the "
            "same account",
        ),
        (
            errors.RepositoryNotFoundError,
            "there is no such repository, or it is private; check the name owner/name, and set "
            "HF_TOKEN if it is private",
        ),
        (errors.RevisionNotFoundError, "there is no such revision; use a branch, tag or commit"),
        (
            errors.RemoteEntryNotFoundError,
            "the hub lists a file that it does not have; run again later, or name another revision",
        ),
        (
            errors.HFValidationError,
            "that is not the name of a repository; allowed is owner/name",
        ),
        (
            errors.LocalEntryNotFoundError,
            "the hub cannot be reached, refuses or does not answer in time, and the cache does not "
            "hold it; check the connection, HF_ENDPOINT, HF_HUB_OFFLINE and HF_TOKEN, raise "
            "HF_HUB_DOWNLOAD_TIMEOUT (seconds) where the connection is slow, then run again",
        ),
        (
            errors.HfHubHTTPError,
            "the hub refused; check HF_TOKEN and HF_ENDPOINT, or run again later",
        ),
        (
            (ValueError, LookupError, TypeError, AssertionError),
            "what answered is no hub; check HF_ENDPOINT, and whether a network asks to sign in",
        ),
        (
            Exception,
            "the transfer failed; files that came whole are kept, so check the connection and the "
            "disk, raise HF_HUB_DOWNLOAD_TIMEOUT (seconds) where it is slow, and run again",
        ),
    )
    return next(text for kind, text in advice if isinstance(error, kind))
