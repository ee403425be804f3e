"""One run at a time in a folder, and an end to what a killed run left at work.

A run locks a file for as long as its process lives. The kernel lets go of the lock however the
process ends, so what a killed run left behind is told from a run that is alive. Jobs that outlive
their run know its name, and write nothing once another run has begun.

All paths are relative to the folder that processes work in, as Snakemake's own files are.
"""

import atexit
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from qatlas.errors import AtlasError

FILE = Path(".snakemake/qatlas/run.json")
"""The file that is locked, and says which run began last."""

NAME = "QATLAS_RUN"
"""Environment variable by which jobs know the run that started them."""

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PATIENCE_S = 60


@dataclass(frozen=True)
class Run:
    """A run: the process, where it is, when it began, and whether it came to its own end."""

    pid: int
    host: str
    boot: str
    began_ns: int
    ended: bool = False

    def __str__(self) -> str:
        began = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.began_ns / 1e9))
        return f"process {self.pid} on {self.host}, which began at {began}"

    @property
    def name(self) -> str:
        """What no other run is called."""
        return f"{self.host}-{self.pid}-{self.began_ns}"

    @property
    def is_seen_from_here(self) -> bool:
        """Whether its lock is sure to be seen here: some file systems keep locks to one machine.

        Containers have names of their own, but the boot of their machine.
        """
        return self.host == platform.node() or (self.boot != "" and self.boot == _boot())


@contextmanager
def between_runs() -> Iterator[str | None]:
    """Keep any run from beginning while the block runs, unless one is at work.

    Yields
    ------
    str or None
        None if no run is at work; else a sentence on the one that is, or that may be.

    Raises
    ------
    AtlasError
        If the folder cannot be written to.
    """
    handle = _open()
    try:
        yield _at_work(handle)
    finally:
        os.close(handle)


def _at_work(handle: int) -> str | None:
    """Take part in the lock that runs take alone, or say why that cannot be."""
    last = _last()
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        named = f" ({last})" if last else ""
        return f"another run is at work in this folder{named}, which until it ends can only be read"
    except OSError as error:
        return (
            f"this file system has no locks ({error.strerror}): two runs at once are not told "
            "apart, and after one was killed snakemake --unlock is needed"
        )
    if last and not last.ended and not last.is_seen_from_here:
        return (
            f"the last run in this folder ({last}) goes on or was killed; run on that machine or, "
            "if nothing runs there any more, snakemake --unlock first"
        )
    return None


def hold() -> None:
    """Hold the folder until this process ends, and let jobs that it starts know whose they are.

    Raises
    ------
    AtlasError
        If another run holds the folder, or it cannot be written to.
    """
    # A number, which nobody closes; jobs do not inherit it, or they would hold the folder on.
    handle = _open()
    with suppress(_NoLocks):
        _lock(handle)
    run = Run(os.getpid(), platform.node(), _boot(), time.time_ns())
    _write(handle, run)
    atexit.register(_write, handle, replace(run, ended=True))
    os.environ[NAME] = run.name


def require_current() -> None:
    """Refuse to go on in a job whose run was killed and has a successor.

    Its results may be those of another configuration by now.

    Raises
    ------
    AtlasError
        If another run began after the one that started this process.
    """
    mine, last = os.environ.get(NAME), _last()
    if mine and last and last.name != mine:
        raise AtlasError(
            "the run that started this job was killed and another has begun, "
            f"{last}; nothing more is written here"
        )


class _NoLocks(Exception):  # noqa: N818 -- a state of affairs, handled here
    """The file system has no locks."""


def _lock(handle: int) -> None:
    """Lock the file for this process alone; those that only look are waited for."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        except OSError as error:
            raise _NoLocks from error
        with between_runs() as said:
            at_work = said
        if at_work or time.monotonic() > until:
            raise AtlasError(
                f"{at_work or 'other commands are looking into this folder'}; wait, or stop it: "
                "the same command then goes on from there. Two runs at once need a folder each "
                "(--directory)"
            )
        time.sleep(0.1)


def _open() -> int:
    try:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        return os.open(FILE, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise _cannot_be_written(error) from error


def _write(handle: int, run: Run) -> None:
    """Write in place: another file would not be the one that is locked."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps(asdict(run)).encode(), 0)
        # Jobs on other machines read it while it stays open here.
        os.fsync(handle)
    except OSError as error:
        raise _cannot_be_written(error) from error


def _cannot_be_written(error: OSError) -> AtlasError:
    return AtlasError(
        f"{FILE.parent.absolute()} cannot be written to ({error.strerror}); mend that, or work in "
        "another folder (--directory)"
    )


def _last() -> Run | None:
    """The run that began last, or None if there was none or it is being written."""
    try:
        return Run(**json.loads(FILE.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _boot() -> str:
    """What this start of the machine is called; nothing where the kernel has no such name."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
