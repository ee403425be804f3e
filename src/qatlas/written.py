"""What jobs wrote, by checksum, so that a result which was damaged since is noticed and made again.

Snakemake compares times. A file that was cut off or edited behind its back looks finished, so every
job notes the checksum of what it wrote, and checks what it is given.
"""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from pathlib import Path

from qatlas.atomic import replacing
from qatlas.errors import AtlasError

FOLDER = Path(".snakemake/qatlas/written")
"""Notes, each under the path of its output with `.json` behind it."""

_OF_SNAKEMAKE = ".snakemake_timestamp"


@dataclass(frozen=True)
class Note:
    """Of an output: the checksum, and size and times of its files when it was last found right."""

    sha256: str
    seen: str


def note(outputs: Iterable[str | Path]) -> None:
    """Note what was written: files, links or whole folders below the present one."""
    # Outputs that are missing are Snakemake's to complain of.
    for path in filter(os.path.lexists, _ours(outputs)):
        _write(path, Note(_checksum(path), _appearance(path)))


def forget(outputs: Iterable[str | Path]) -> None:
    """Drop the notes on outputs that are about to be written anew."""
    for path in _ours(outputs):
        _place(path).unlink(missing_ok=True)


def require_sound(inputs: Iterable[str | Path]) -> None:
    """Check what a job is given against what was written; what no job wrote is not checked.

    Raises
    ------
    AtlasError
        If an input is not what was written.
    """
    for path in _ours(inputs):
        noted = _read(_place(path))
        if noted and _checksum(path) != noted.sha256:
            # The next run takes no appearance for granted.
            _write(path, Note(noted.sha256, ""))
            raise AtlasError(
                f"{path}: damaged or edited since it was written, its checksum is another; the "
                "same command makes it again"
            )


def damaged() -> list[Path]:
    """Outputs that are there and not what was written, in the order of their names.

    Only files whose size or times changed since they were last found right are read.
    """
    found = []
    for path in _noted():
        noted = _read(_place(path))
        if not noted or _appearance(path) == noted.seen:
            continue
        if _checksum(path) == noted.sha256:
            _write(path, Note(noted.sha256, _appearance(path)))
        else:
            found.append(path)
    return found


def bring_back(now_ns: int) -> list[Path]:
    """Take outputs that are dated ahead back to now: the clock was set back after they were made.

    All by the same span, so that their order stays. What they were made from may look newer than
    they are; then Snakemake makes them again, or finds by checksum that it need not.

    Parameters
    ----------
    now_ns
        Nanoseconds since 1970.

    Returns
    -------
    list of Path
        Outputs that were dated ahead.
    """
    there = [path for path in _noted() if os.path.lexists(_dated(path))]
    dated = {path: _dated(path).lstat().st_mtime_ns for path in there}
    ahead = {path: time_ns for path, time_ns in dated.items() if time_ns > now_ns}
    for path, time_ns in ahead.items():
        shifted = time_ns - max(ahead.values()) + now_ns
        # Of a link itself: where it leads is not ours.
        os.utime(_dated(path), ns=(shifted, shifted), follow_symlinks=False)
    return list(ahead)


def _noted() -> list[Path]:
    """Outputs with a note that are there, in the order of their names."""
    places = sorted(FOLDER.rglob("*.json"))
    paths = [place.relative_to(FOLDER).with_suffix("") for place in places]
    return [path for path in paths if os.path.lexists(path)]


def _ours(paths: Iterable[str | Path]) -> Iterator[Path]:
    """Those below the present folder, as they are seen from it."""
    for path in paths:
        relative = Path(os.path.relpath(path))
        if ".." not in relative.parts:
            yield relative


def _place(path: Path) -> Path:
    return FOLDER / path.with_name(f"{path.name}.json")


def _read(place: Path) -> Note | None:
    try:
        return Note(**json.loads(place.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _write(path: Path, written: Note) -> None:
    with replacing(_place(path)) as unfinished:
        unfinished.write_text(json.dumps(asdict(written)))


def _parts(path: Path) -> list[Path]:
    """The file itself, or whatever lies below the folder."""
    if path.is_symlink() or not path.is_dir():
        return [path]
    below = sorted(path.rglob("*"))
    return [part for part in below if part.name != _OF_SNAKEMAKE and not _is_folder(part)]


def _dated(path: Path) -> Path:
    """What Snakemake takes the time of an output from."""
    return path / _OF_SNAKEMAKE if _is_folder(path) else path


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _checksum(path: Path) -> str:
    """SHA-256 of a file; of a folder, that of names and checksums below it."""
    if not _is_folder(path):
        return _checksum_of_file(path)
    lines = [f"{part.relative_to(path)} {_checksum_of_file(part)}\n" for part in _parts(path)]
    return sha256("".join(lines).encode()).hexdigest()


def _checksum_of_file(path: Path) -> str:
    """SHA-256 of what is in a file; of a link, where it leads, since that is what was written."""
    try:
        if path.is_symlink():
            return sha256(str(path.readlink()).encode()).hexdigest()
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "missing"


def _appearance(path: Path) -> str:
    """Size and times of every file; the time of its last change no program can set back."""
    lines = []
    for part in _parts(path):
        state = part.lstat()
        of_file = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino)
        lines.append(f"{part} {of_file}\n")
    return sha256("".join(lines).encode()).hexdigest()
