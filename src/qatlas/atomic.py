"""Files are written whole or not at all."""

import errno
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import disk_usage
from tempfile import TemporaryFile

from qatlas.errors import AtlasError
from qatlas.runs import require_current

_UNFINISHED = ".unfinished-"
_ROOM_FOR_NOTES = 2**20

# Rust and C++ say in words what Python says by number.
_CANNOT_BE_WRITTEN = {
    errno.ENOSPC: ("the disk is full", "os error 28", "No space left on device"),
    errno.EDQUOT: ("the disk quota is used up", "os error 122", "Disk quota exceeded"),
    errno.EROFS: ("the file system is read-only", "os error 30", "Read-only file system"),
}


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside ``path``; rename it to ``path`` if the block succeeds.

    The temporary name keeps the suffix, which some writers derive the format from.

    Raises
    ------
    AtlasError
        If there is no room, or the folder is read-only; or if the run that started this process
        was killed and has a successor.
    """
    path = Path(path)
    unfinished = path.with_name(f"{_UNFINISHED}{os.getpid()}-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield unfinished
        require_current()
        unfinished.replace(path)
    except Exception as error:
        if reason := _why_not_written(error):
            raise AtlasError(
                f"{path}: cannot be written, {reason}; mend that and run the same command again, "
                "what is finished stays"
            ) from error
        raise
    finally:
        # Where nothing can be written, even removing what is not there is an error.
        if unfinished.exists():
            unfinished.unlink()


def require_writable(folder: str | Path) -> None:
    """Refuse a folder in which no file can be begun.

    Raises
    ------
    AtlasError
        If it cannot be made or written to; the message says why.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        raise AtlasError(
            f"{folder}: cannot be written to ({error.strerror}); mend that, or work in another "
            "folder (--directory)"
        ) from error


def require_room(folder: str | Path) -> None:
    """Refuse a folder on a disk that has no room even for notes on what is done.

    Raises
    ------
    AtlasError
        If less than a megabyte is free.
    """
    if disk_usage(folder).free < _ROOM_FOR_NOTES:
        raise AtlasError(
            f"{Path(folder).absolute()}: the disk is full; make room and run the same command "
            "again, what is finished stays"
        )


def discard_unfinished(outputs: Iterable[str | Path]) -> None:
    """Remove what killed jobs left of outputs that nobody else is writing."""
    for path in map(Path, outputs):
        name = re.compile(rf"{re.escape(_UNFINISHED)}\d+-{re.escape(path.name)}")
        for left in path.parent.iterdir() if path.parent.is_dir() else ():
            if name.fullmatch(left.name):
                left.unlink(missing_ok=True)


def _why_not_written(error: Exception) -> str | None:
    for number, (reason, *signs) in _CANNOT_BE_WRITTEN.items():
        if getattr(error, "errno", None) == number or any(sign in str(error) for sign in signs):
            return reason
    return None
