"""What to say at the end of a run: what was made, and where to look first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from qatlas.summary import read_summary

FIRST = {
    "results/rate_distortion/figures/gap_to_empirical.pdf": "how far every codec is from its limit",
    "results/paper/paper.pdf": "the paper",
    "results/explorer/index.html": "every measured point, to explore in a browser",
    "results/report.html": "figures, tables, run times and configuration in one page",
}
"""What to look at first, in this order, if it was made."""

_SHOWN = 3


def closing_message(made: Iterable[str]) -> str:
    """What a run made, what its summaries claim, and where to look first.

    Parameters
    ----------
    made
        Files that the run wrote; summaries among them are read.

    Raises
    ------
    AtlasError
        If a summary is damaged.
    """
    files = sorted(made)
    figures = [path for path in files if path.endswith(".pdf") and "/figures/" in path]
    summaries = [path for path in files if Path(path).name == "summary.json"]
    counts = {"figure": len(figures), "summary": len(summaries)}
    named = [_counted(count, what) for what, count in counts.items() if count]
    others = _counted(len(files), "file")
    lines = [f"Made {' and '.join(named)}, {others} in all." if named else f"Made {others}."]
    if summaries:
        lines.append(_claims(summaries))
    first = [f"  {path}  ({what})" for path, what in FIRST.items() if path in files]
    shown = first or [f"  {path}" for path in (figures or files)[:_SHOWN]]
    return "\n".join([*lines, *(["Look first at", *shown] if shown else [])])


def failure_message(failed: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Which rules failed, and where their logs lie.

    Parameters
    ----------
    failed
        Rule and log files of every job that failed.
    """
    logs = sorted({(rule, log) for rule, files in failed for log in files})
    lines = [f"  rule {rule}: {log}" for rule, log in logs]
    said = ["What went wrong is told in", *lines] if lines else []
    return "\n".join([*said, "Once it is mended, the same command goes on from here."])


def _claims(summaries: Iterable[str]) -> str:
    claims = [claim for path in summaries for claim in read_summary(path).claims.values()]
    count = Counter(claim.holds for claim in claims)
    return (
        f"Of {_counted(len(claims), 'claim')} {count[True]} hold, {count[False]} do not, "
        f"{count['not_measured']} were not measured."
    )


def _counted(count: int, what: str) -> str:
    plural = what[:-1] + "ies" if what.endswith("y") else f"{what}s"
    return f"{count} {what if count == 1 else plural}"
