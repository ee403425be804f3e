"""What every job of the workflow does around its science: log, progress, errors.

Snakemake limits the numerical libraries to a job's threads before the job starts.
"""

import logging
import resource
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from tqdm import tqdm

from qatlas.atomic import discard_unfinished
from qatlas.errors import AtlasError
from qatlas.runs import require_current
from qatlas.written import forget, note, require_sound

Item = TypeVar("Item")

logger = logging.getLogger("qatlas")

_SECONDS_BEFORE_A_BAR = 5


_LESS_MEMORY = (
    "of a language model lower function.batch or function.calibration.memory_mb, of a checkpoint "
    "raise models.NAME.shards or set codecs.NAME.most_weights, or run fewer jobs at a time "
    "(--cores)"
)


class _LogFile(logging.FileHandler):
    """A log that ends where the disk is full: it says so once, and the job goes on without it."""

    _ended = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- a name of logging's
        """Say the first time that the log goes no further."""
        if not self._ended:
            self._ended = True
            sys.stderr.write(f"{self.baseFilename} goes no further: {sys.exception()}\n")


class Job(Protocol):
    """The part of the object Snakemake gives to a script that is used here."""

    rule: str
    log: Any
    input: Any
    output: Any


@contextmanager
def job(running: Job) -> Iterator[None]:
    """Run a job: its log goes where Snakemake says, warnings of the library to the terminal too.

    Inputs are those that other jobs wrote, byte for byte, or the job does not begin. Outputs are
    noted for those who read them.

    An ``AtlasError`` ends the job with its message alone, on the terminal and in the log; any
    other exception leaves its traceback in the log too. Either way the exit status is not 0.
    """
    handler = _log_file(running)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    # Other packages tell of every glyph of a font and every file of a cache.
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logger.setLevel(logging.INFO)
    logging.captureWarnings(True)
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter(f"{running.rule}: %(message)s"))
    terminal.addFilter(lambda record: record.levelno == logging.WARNING)
    logger.addHandler(terminal)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    started = time.perf_counter()
    try:
        require_current()
        require_sound(running.input)
        discard_unfinished(running.output)
        forget(running.output)
        yield
        note(running.output)
    except KeyboardInterrupt:
        logger.error("interrupted")
        sys.exit(f"{running.rule}: interrupted")
    except AtlasError as error:
        logger.error("%s", error)
        sys.exit(f"{running.rule}: {error}")
    except (MemoryError, RuntimeError) as error:
        if not _out_of_memory(error):
            logger.exception("%s failed", running.rule)
            raise
        message = f"out of memory ({error}); {_LESS_MEMORY}"
        logger.error("%s", message)
        sys.exit(f"{running.rule}: {message}")
    except Exception:  # Not swallowed: the log gets the traceback, the caller the exception.
        logger.exception("%s failed", running.rule)
        raise
    finally:
        logger.removeHandler(terminal)
    _log_what_it_took(time.perf_counter() - started)


def progress(items: Iterable[Item], what: str) -> Iterator[Item]:
    """Yield the items; log each, and show a bar on the terminal once it takes long."""
    bar = tqdm(items, desc=what, delay=_SECONDS_BEFORE_A_BAR, mininterval=1, file=sys.stderr)
    for number, item in enumerate(bar, start=1):
        logger.info("%s %d of %s: %s", what, number, bar.total or "?", item)
        yield item


def _log_what_it_took(seconds: float) -> None:
    """End the log with wall time, and with what the kernel counted of this process.

    Snakemake's benchmark files look at a job now and then, and miss what lies between.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    logger.info(
        "done in %.1f s, with %.1f s of CPU and at most %.0f MiB",
        seconds,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss / 1024,
    )


def _log_file(running: Job) -> _LogFile:
    try:
        return _LogFile(running.log[0], mode="w")
    except OSError as error:
        sys.exit(f"{running.rule}: the log {running.log[0]} cannot be written ({error.strerror})")


def _out_of_memory(error: Exception) -> bool:
    """Whether memory ran out; PyTorch says so in a ``RuntimeError``."""
    signs = ("out of memory", "can't allocate memory")
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in signs)
