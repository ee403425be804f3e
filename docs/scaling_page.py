"""The page on scale, from what `make bench-scale` measured."""

import json
from pathlib import Path

from scaling_tables import (
    LONGEST_MINUTES,
    NODE_CORES,
    PEAK_GIB,
    bytes_a_second,
    growth_table,
    held_table,
    in_bytes,
    in_short,
    listed,
    load,
    manifest_time,
    memory_table,
    plans_table,
    shards_table,
    sizes_table,
    slowest,
    targets_table,
    together,
    well_known,
    what_is_missing,
)

from qatlas.sharding import WEIGHTS_A_SHARD

PAGE = """\
# Scale

How memory and time grow with a model, and what that means for models that no single machine
holds.

All numbers here are from `make bench-scale`, last run with {threads} thread on a {processor} of
{cores} cores, with others beside it ({load}); `resources/scale.json` has every job. Seconds are
those of the processor, since wall time on a shared machine says little. Peak memory is resident
memory, with the mapped pages of the checkpoint. Both are what the kernel counted of the job, which
is the last line of its log; a peak is that of Snakemake's benchmark file where this is greater.
That looks at a job now and then, and misses what lies between.

## What was measured

Checkpoints in bfloat16: {models}; the others have the shape of
Llama 3.2 1B made narrower: layers and tensors are as many, and embeddings keep their share. Weights
are drawn (`benchmarks/llama_checkpoint.py`).
Each goes through the workflow's own rules: manifest, statistics, limits, rotation, and ten codecs
at 4 bits.

{sizes}

{parts}

{targets}

## How time grows

A line through the CPU seconds of the {fitted} smaller checkpoints, for every step: what it costs
at no weights, which is the start of a job and what each of {matrices} matrices costs whatever its
size; what a billion weights cost then; how well the line fits; and the power of the weights that
the seconds follow. The last is below 1 where what is fixed is a large part; above 1 it would say
that large models cost more than their share. Weights are those that a step measures.

{growth}

{together}

The checkpoint of {large} parameters was not among these. What its jobs took beside the line; where
one of its shards was measured, it is that with the largest matrix:

{held}

## Memory

Jobs hold one tensor at a time, so their memory follows the largest, which in a Llama is the
embedding. It is not cut: what a codec does with a tensor is defined on the whole of it.

{memory}

Of a codec that keeps many copies, or that is slow, `most_weights` measures rows drawn from each
tensor, with an interval for the rest; here that is {sampled}. It is a key of a codec in the
[configuration](config.md#codecsname).

## How many shards

A step of a model is shared among `shards` jobs, to which tensors are dealt by size. Where the
files are on this machine, a model that names no number has as many as keep a job at {shard}
weights: such a job stays under {minutes:g} minutes if all points of its codec together take less
than {microseconds:.1f} microseconds a weight. Above, the slowest that was measured whole takes
{slowest}. A codec that is slower, or has many points, wants more shards, or `most_weights`.

Of a model of the hub nothing is known before it is fetched, and how its work is shared must not
change when it was, so give the number: parameters over {shard}, rounded up. A tensor that is
larger than that is a shard of its own and takes longer.

{shards}

## A plan for larger models

On paper, from the rates above, on nodes of {node} cores: {planned}. A step that was
not measured at three of the smaller sizes is left out. Of the two largest nothing was run.

{plans}

Hours are those of cores kept busy, without waiting for bytes: for the largest model a node then
reads {reading} a second in the mean, which its file system must give.

What would break first, in this order:

1. **The manifest.** It is one job, since what ties tensors to each other is known when all are;
   it reads and hashes everything: {manifest}. It wants a rule for every file of the checkpoint,
   and one that joins them.
2. **The largest tensor.** It has {largest} weights, so that no codec that makes a float32 copy
   of it stays below {peak:g} GiB. With `most_weights` under every codec the copies are bounded.
   What is left are mapped pages of the file, {mapped} GiB, which the kernel takes back when
   others need them, but which a scheduler may charge to the job.
3. **The file system.** Every step reads the checkpoint: {read}. On one machine the cache serves
   small models again; a cluster reads that from its shared file system. Jobs that took several
   cheap steps over a tensor at once would read less, and an edit of one would rerun them all.
4. **Snakemake's graph.** {jobs} jobs are {times} times those of the full study of Llama 3.2 1B,
   whose graph takes {dry_run}. Time goes with the number of jobs and files; `include` splits a
   model into studies of parts.
"""


def scaling_page(root: Path) -> str:
    """The page, of the checkout in that folder."""
    record = json.loads((root / "resources" / "scale.json").read_text())
    runs = record["sizes"]
    plans = dict(sorted(record["plans"].items(), key=lambda item: item[1]["weights"]))
    machine, hugest = runs[0]["machine"], plans[list(plans)[-1]]
    small = [run for run in runs if run["size"]["parameters"] < runs[-1]["size"]["parameters"] / 2]
    return PAGE.format(
        threads=machine["threads"],
        processor=machine["processor"],
        cores=machine["cores"],
        load=load(runs),
        models=well_known(runs, plans),
        sizes="\n".join(sizes_table(runs)),
        parts="\n".join(what_is_missing(runs, record["steps"])),
        targets="\n".join(targets_table(record)),
        fitted=len(small),
        matrices=runs[0]["size"]["matrices"],
        growth="\n".join(growth_table(record["seconds"])),
        together=together(record["together"]),
        large=in_short(runs[-1]["size"]["parameters"]),
        held="\n".join(held_table(record, runs[-1])),
        memory="\n".join(memory_table(record, runs[-1])),
        sampled=listed(f"`{step.split()[-1]}`" for step in record["most_weights"]),
        shard=f"2^{WEIGHTS_A_SHARD.bit_length() - 1} ({WEIGHTS_A_SHARD / 1e6:.0f} million)",
        minutes=LONGEST_MINUTES,
        microseconds=60e6 * LONGEST_MINUTES / WEIGHTS_A_SHARD,
        slowest=slowest(record),
        shards="\n".join(shards_table(plans)),
        node=NODE_CORES,
        planned=listed(record["rates"]),
        plans="\n".join(plans_table(plans)),
        reading=bytes_a_second(hugest),
        manifest=manifest_time(record["rates"]["manifest"], hugest),
        largest=in_short(hugest["largest"]),
        peak=PEAK_GIB,
        mapped=f"{2 * hugest['largest'] / 2**30:.1f}",
        read=in_bytes(hugest["bytes_read"]),
        jobs=f"{hugest['jobs']:,}",
        times=f"{hugest['jobs'] / record['dry_run']['jobs']:.0f}",
        dry_run=f"{record['dry_run']['cpu_seconds']:.0f} s",
    )
