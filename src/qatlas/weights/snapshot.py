"""A model as a folder of safetensors files, read one tensor at a time."""

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from qatlas.errors import AtlasError, said
from qatlas.weights.shards import StoredTensor, read_index, stored_tensors

if TYPE_CHECKING:
    from torch import Tensor

SNAPSHOT_FILES = (
    "config.json",
    "*.safetensors",
    "*.safetensors.index.json",
    "tokenizer*.json",
    "vocab.*",
    "merges.txt",
    "special_tokens_map.json",
)
"""Patterns of the files that make a snapshot; others are neither fetched nor linked."""
INDEX = "model.safetensors.index.json"
_WHOLE = "model.safetensors"
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_PIECE = re.compile(r"-\d+-of-\d+\.safetensors$")


@dataclass(frozen=True)
class Snapshot:
    """A model's tensors on disk.

    Attributes
    ----------
    folder
        Folder of config.json (if there is one) and the safetensors files.
    model
        Name of the model, for messages and tables.
    tensors
        Every stored tensor, ordered by name.
    """

    folder: Path
    model: str
    tensors: Mapping[str, StoredTensor]

    def read(self, name: str) -> "Tensor":
        """One tensor as stored, mapped from the file rather than copied.

        Raises
        ------
        AtlasError
            If there is no such tensor, or the file changed since the snapshot was opened.
        """
        from safetensors import SafetensorError, safe_open

        if name not in self.tensors:
            raise AtlasError(f"model {self.model}: no tensor {name!r} in {self.folder}")
        path = self.folder / self.tensors[name].file
        try:
            with safe_open(path, "pt") as stored:
                tensor: Tensor = stored.get_tensor(name)
                return tensor
        # PyTorch refuses shapes that it cannot stride over, though they hold nothing.
        except (OSError, RuntimeError, SafetensorError) as error:
            raise AtlasError(
                f"model {self.model}: tensor {name!r} cannot be read from {path} ({said(error)}); "
                "fetch the file again"
            ) from error


def open_snapshot(folder: str | Path, model: str) -> Snapshot:
    """Read the headers of a snapshot's safetensors files.

    As in transformers, model.safetensors stands for itself, and otherwise the shards are those
    that model.safetensors.index.json names. With neither, every .safetensors file is read.

    Raises
    ------
    AtlasError
        If the folder is missing, holds no safetensors (pickles are not read), misses a shard,
        holds a damaged one, or the index and the shards disagree.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise AtlasError(f"model {model}: no folder {folder}; fetch the model or mend the path")
    index = folder / INDEX
    if (folder / _WHOLE).is_file() or not index.is_file():
        files = _files_without_index(folder, model)
        return Snapshot(folder, model, stored_tensors(folder, files, model))
    places = read_index(index, model)
    tensors = stored_tensors(folder, sorted(set(places.values())), model)
    for name, file in places.items():
        if name not in tensors:
            raise AtlasError(
                f"model {model}: {index} places tensor {name!r} in {file}, which does not hold it; "
                "fetch both files again, from one revision"
            )
        if tensors[name].file != file:
            raise AtlasError(
                f"model {model}: {index} places tensor {name!r} in {file}, but it lies in "
                f"{tensors[name].file}; fetch the files again, from one revision"
            )
    for name, stored in tensors.items():
        if name not in places:
            raise AtlasError(
                f"model {model}: {folder / stored.file} holds tensor {name!r}, which {index} "
                "does not name; fetch both files again, from one revision"
            )
    return Snapshot(folder, model, tensors)


def snapshot_files(folder: str | Path) -> list[str]:
    """Names of the ``SNAPSHOT_FILES`` that a folder has, sorted; none where there is no folder."""
    # Globbing leaves out links that lead nowhere.
    names = [path.name for path in Path(folder).iterdir()] if Path(folder).is_dir() else []
    return sorted(name for name in names if any(fnmatchcase(name, p) for p in SNAPSHOT_FILES))


def require_own_files(folder: str | Path, where: str) -> None:
    """Refuse a folder whose ``SNAPSHOT_FILES`` are links out of it.

    A checkpoint that somebody else made could have any file of this machine read that way. In the
    cache of the hub a snapshot's files are links to blobs; these are its own.

    Parameters
    ----------
    folder
        As it was named; links that lead to the folder itself are the user's, and followed.
    where
        How the message begins.

    Raises
    ------
    AtlasError
        Naming the link and what it leads to.
    """
    own = Path(folder).resolve()
    roots = [own, *_blobs_of(own)]
    for name in snapshot_files(own):
        target = Path(os.path.realpath(own / name))
        # A link in a circle leads to nothing, but to a place inside.
        if not target.exists() or not any(target.is_relative_to(root) for root in roots):
            raise AtlasError(
                f"{where}: {own / name} is a link to {target}, which is outside of its folder or "
                "missing; put the file itself in its place, or name the folder that it lies in"
            )


def _blobs_of(snapshot: Path) -> list[Path]:
    """Where the files of a snapshot of the hub's cache lie: models--NAME/snapshots/COMMIT."""
    if snapshot.parent.name != "snapshots" or not snapshot.parents[1].name.startswith("models--"):
        return []
    # Those of the repository, and those that all repositories share.
    return [snapshot.parents[1] / "blobs", snapshot.parents[2] / "blobs"]


def link_snapshot(source_folder: str | Path, destination: str | Path) -> None:
    """Make ``destination`` a folder of absolute links to a source's ``SNAPSHOT_FILES``.

    The folder appears whole or not at all; one that an earlier call made is replaced.

    Raises
    ------
    AtlasError
        If the source is missing or holds no safetensors, or the destination holds something
        other than links.
    """
    source, destination = Path(source_folder).absolute(), Path(destination).absolute()
    if not source.is_dir():
        raise AtlasError(f"no folder {source} to link {destination} to; mend the model's path")
    _require_safetensors(source, source.name)
    _require_replaceable(destination)
    unfinished = destination.with_name(f".unfinished-{os.getpid()}-{destination.name}")
    replaced = destination.with_name(f".replaced-{os.getpid()}-{destination.name}")
    unfinished.mkdir(parents=True)
    try:
        for name in snapshot_files(source):
            (unfinished / name).symlink_to(source / name)
        if destination.exists():
            destination.rename(replaced)
        unfinished.rename(destination)
    finally:
        for leftover in (unfinished, replaced):
            shutil.rmtree(leftover, ignore_errors=True)


def _require_safetensors(folder: Path, model: str) -> None:
    """Refuse a folder without safetensors files, and say how to make them from pickles.

    Raises
    ------
    AtlasError
        If no file of the folder ends in .safetensors.
    """
    if next(folder.glob("*.safetensors"), None) is not None:
        return
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    found = f"only pickles ({', '.join(pickles)}), which can run code when read" if pickles else ""
    raise AtlasError(
        f"model {model}: no *.safetensors in {folder}, {found or 'nor any pickle'}. "
        "If the model is published as pickles, convert it and use the new folder:\n"
        'python -c "import transformers as t; '
        f"c = t.AutoConfig.from_pretrained('{folder}'); "
        f"m = getattr(t, c.architectures[0]).from_pretrained('{folder}'); "
        f"m.save_pretrained('{folder}-safetensors', safe_serialization=True)\""
    )


def _files_without_index(folder: Path, model: str) -> list[str]:
    _require_safetensors(folder, model)
    files = sorted(path.name for path in folder.glob("*.safetensors"))
    if _WHOLE in files:
        return [_WHOLE]
    if pieces := [file for file in files if _PIECE.search(file)]:
        raise AtlasError(
            f"model {model}: {folder} holds {pieces[0]} but no {INDEX}, so nothing says whether "
            f"the shards are complete; fetch {INDEX} too"
        )
    return files


def _require_replaceable(destination: Path) -> None:
    if destination.is_symlink() or (destination.exists() and not destination.is_dir()):
        raise AtlasError(f"{destination} is not a folder; move it away")
    for path in destination.iterdir() if destination.is_dir() else ():
        if not path.is_symlink():
            raise AtlasError(
                f"{path} is not a link, so {destination} was not made by this workflow and "
                "is not replaced; move it away"
            )
