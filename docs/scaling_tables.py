"""Tables and numbers of the page on scale, from the record of `make bench-scale`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Record = Mapping[str, Any]

PEAK_GIB = 3.0
LONGEST_MINUTES = 10.0
DRY_RUN_SECONDS = 20.0
NODE_CORES = 32
"""Of the node in whose hours a plan is told."""
_DRAWN = "tables and figures"


def load(runs: Iterable[Record]) -> str:
    """How busy the machine was."""
    loads = [run["machine"]["load_average"] for run in runs]
    return f"load averages of {min(loads):.1f} to {max(loads):.1f}"


def sizes_table(runs: Iterable[Record]) -> Iterator[str]:
    """The checkpoints, and what the study of each took."""
    yield "| parameters | largest matrix | shards | jobs | CPU seconds | largest peak | longest |"
    yield "|---|---|---|---|---|---|---|"
    for run in runs:
        size, jobs = run["size"], run["jobs"]
        peak = max(jobs, key=lambda job: job["peak_mib"])
        longest = max(jobs, key=lambda job: job["cpu_seconds"])
        cells = (
            in_short(size["parameters"]),
            in_short(size["largest"]),
            str(size["shards"]),
            str(len(jobs)),
            f"{sum(job['cpu_seconds'] for job in jobs):.0f}",
            f"{peak['peak_mib'] / 1024:.2f} GiB ({peak['step']})",
            f"{longest['cpu_seconds']:.0f} s ({longest['step']})",
        )
        yield f"| {' | '.join(cells)} |"


def well_known(runs: list[Record], plans: Mapping[str, Record]) -> str:
    """Which checkpoints have the shape of a model that is planned for."""
    found = [
        f"that of {in_short(run['size']['parameters'])} parameters has the shape of {name}"
        for run in runs
        for name, plan in plans.items()
        if plan["weights"] == run["size"]["weights"]
    ]
    return listed(found)


def what_is_missing(runs: list[Record], steps: Iterable[str]) -> Iterator[str]:
    """Which checkpoints lack a step or a shard, and of which figures were drawn."""
    for run in runs:
        of = f"of the checkpoint of {in_short(run['size']['parameters'])} parameters"
        lacking = {step: _wanted(run, step) - _jobs(run, step) for step in steps}
        whole = [step for step, jobs in lacking.items() if jobs == _wanted(run, step)]
        parts = [step for step, jobs in lacking.items() if 0 < jobs < _wanted(run, step)]
        if whole:
            yield f"- Not measured {of}: {listed(whole)}."
        if parts:
            yield f"- Measured on the shard of the largest matrix only {of}: {listed(parts)}."
    drawn = [run for run in runs if _jobs(run, _DRAWN)]
    sizes = listed(in_short(run["size"]["parameters"]) for run in drawn) or "none"
    yield f"- Tables and the default figures were made of: {sizes}."


def targets_table(record: Record) -> Iterator[str]:
    """What was aimed at, and whether it was reached in everything that was measured."""
    jobs = [job for run in record["sizes"] for job in run["jobs"]]
    peak = max(job["peak_mib"] for job in jobs) / 1024
    longest = max(job["cpu_seconds"] for job in jobs) / 60
    large, dry_run = record["sizes"][-1], record["dry_run"]
    whole = all(_jobs(large, step) == _wanted(large, step) for step in record["steps"])
    reached = "holds" if whole else "holds of what was measured"
    listing = f"listing the {dry_run['jobs']} jobs of `config/llama-3.2-1b.yaml`"
    yield "| what | measured | aimed at | |"
    yield "|---|---|---|---|"
    for what, value, target, unit, verdict in (
        ("largest peak of a job", peak, PEAK_GIB, "GiB", reached),
        ("longest job", longest, LONGEST_MINUTES, "min", reached),
        (listing, dry_run["cpu_seconds"], DRY_RUN_SECONDS, "s", "holds"),
    ):
        verdict = verdict if value < target else "does not hold"
        yield f"| {what} | {value:.2f} {unit} | below {target:g} {unit} | {verdict} |"


def growth_table(seconds: Mapping[str, Record]) -> Iterator[str]:
    """The line and the power of every step that has more to do of larger checkpoints."""
    yield "| step | seconds at no weights | seconds a billion weights | R² | exponent |"
    yield "|---|---|---|---|---|"
    for step, found in seconds.items():
        yield (
            f"| {step} | {found['intercept']:.1f} | {found['slope'] * 1e9:.0f} | "
            f"{found['r_squared']:.4f} | {found['exponent']:.2f} |"
        )


def together(found: Record) -> str:
    """The steps that were measured at all sizes, in one sentence."""
    return (
        f"{listed(found['steps']).capitalize()} together take {found['slope'] * 1e6:.3f} s "
        f"a million weights and {found['intercept']:.0f} s besides: R² is "
        f"{found['r_squared']:.4f}, the exponent {found['exponent']:.2f}."
    )


def held_table(record: Record, run: Record) -> Iterator[str]:
    """The largest checkpoint beside the lines through the smaller ones."""
    yield "| step | jobs | CPU seconds | on the line | ratio |"
    yield "|---|---|---|---|---|"
    for step, line in record["large_on_the_lines"].items():
        jobs = _jobs(run, step)
        spent = sum(job["cpu_seconds"] for job in run["jobs"] if job["step"] == step)
        cells = (step, f"{jobs} of {_wanted(run, step)}", f"{spent:.0f}", f"{line:.0f}")
        yield f"| {' | '.join(cells)} | {spent / line:.2f} |"


def memory_table(record: Record, run: Record) -> Iterator[str]:
    """Peaks of the largest checkpoint, and how they grow with the largest matrix."""
    largest = in_short(run["size"]["largest"])
    yield f"| step | peak with a matrix of {largest} | bytes a weight | measured at most |"
    yield "|---|---|---|---|"
    for step in record["steps"]:
        peaks = [job["peak_mib"] for job in run["jobs"] if job["step"] == step]
        peak = f"{max(peaks) / 1024:.2f} GiB" if peaks else "not measured"
        line, most = record["memory_mib"].get(step), record["most_weights"].get(step)
        slope = f"{line['slope'] * 2**20:.1f}" if line else "not known"
        yield f"| {step} | {peak} | {slope} | {in_short(most) if most else 'all'} |"


def shards_table(plans: Mapping[str, Record]) -> Iterator[str]:
    """How many shards the rule makes of well-known models."""
    yield "| model | weights in matrices | shards | largest matrix |"
    yield "|---|---|---|---|"
    for name, plan in plans.items():
        cells = (name, in_short(plan["weights"]), str(plan["shards"]), in_short(plan["largest"]))
        yield f"| {' | '.join(cells)} |"


def plans_table(plans: Mapping[str, Record]) -> Iterator[str]:
    """What their studies would take."""
    rows = {
        "jobs that read weights": lambda p: f"{p['jobs']:,}",
        "bytes of the checkpoint": lambda p: in_bytes(2 * p["weights"]),
        "bytes read": lambda p: in_bytes(p["bytes_read"]),
        "core-hours": lambda p: f"{p['cpu_seconds'] / 3600:.1f}",
        f"node-hours, {NODE_CORES} cores": lambda p: f"{p['cpu_seconds'] / 3600 / NODE_CORES:.2f}",
        "longest job": lambda p: f"{duration(p['longest_seconds'])} ({p['longest_step']})",
        "longest job of a shard": lambda p: (
            f"{duration(p['longest_shared_seconds'])} ({p['longest_shared_step']})"
        ),
        "largest peak": lambda p: f"{p['peak_mib'] / 1024:.1f} GiB ({p['peak_step']})",
    }
    yield f"| | {' | '.join(plans)} |"
    yield "|---" * (len(plans) + 1) + "|"
    for what, cell in rows.items():
        yield f"| {what} | {' | '.join(cell(plan) for plan in plans.values())} |"


def bytes_a_second(plan: Record) -> str:
    """What a node reads in the mean if none of its cores is to wait."""
    return in_bytes(plan["bytes_read"] / (plan["cpu_seconds"] / NODE_CORES))


def slowest(record: Record) -> str:
    """The step that takes longest for a weight, of those that measure all weights."""
    rates = {
        step: rate["a_weight"]
        for step, rate in record["rates"].items()
        if step not in record["most_weights"]
    }
    step = max(rates, key=rates.__getitem__)
    return f"{rates[step] * 1e6:.2f} ({step})"


def manifest_time(rate: Record, plan: Record) -> str:
    """What the one job of a manifest takes."""
    minutes = rate["a_weight"] * plan["weights"] / 60
    return f"{minutes:.0f} min of CPU for {in_bytes(2 * plan['weights'])}"


def listed(names: Iterable[str]) -> str:
    """Names in a sentence; nothing if there are none."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def duration(seconds: float) -> str:
    """A time in seconds or minutes."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def in_short(number: float) -> str:
    """A count with three digits, in thousands, millions or billions."""
    unit, letter = next((u, x) for u, x in ((1e9, "G"), (1e6, "M"), (1e3, "k")) if number >= u)
    return f"{number / unit:.3g} {letter}"


def in_bytes(number: float) -> str:
    """A size with three digits."""
    power = min(4, (len(f"{number:.0f}") - 1) // 3)
    return f"{number / 1000**power:.3g} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


def _jobs(run: Record, step: str) -> int:
    return sum(job["step"] == step for job in run["jobs"])


def _wanted(run: Record, step: str) -> int:
    return 1 if step == "manifest" else int(run["size"]["shards"])
