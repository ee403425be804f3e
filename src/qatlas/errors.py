"""The one exception a user can cause, and the sentences that say what was meant or what to do."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

_SHOWN = 200


class AtlasError(ValueError):
    """Something the user can mend: a key, a file, a tensor.

    The message names it, says what was found, what is allowed and what to do.
    """


def nearest(found: str, allowed: Iterable[str]) -> str:
    """Say which of the allowed names the found one is nearest to, or list them all."""
    names = sorted(allowed)
    close = get_close_matches(found, names, n=1, cutoff=0.5)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"allowed: {', '.join(names) or 'none'}"


def make_again(path: str | Path) -> str:
    """Say how a file that the workflow made is made anew, by its path in the results."""
    return f"make it again: snakemake --force {path} (and your --configfile, if you name one)"


def shown(found: Any) -> str:
    """How a message shows what was found: as Python writes it, on one line and not too long."""
    written = repr(found)
    return written if len(written) <= _SHOWN else f"{written[:_SHOWN]}… ({len(written)} characters)"


def said(error: BaseException) -> str:
    """What another library's error says, on one line, printable and not too long."""
    words = " ".join(str(error).split())
    plain = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in words)
    return plain if len(plain) <= 2 * _SHOWN else f"{plain[: 2 * _SHOWN]}…"
