"""The one exception a user can cause, and the sentences that say what was meant or what to do."""

from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path


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
