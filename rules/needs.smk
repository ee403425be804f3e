from functools import lru_cache
from math import ceil

from qatlas.weights.snapshot import open_snapshot


def memory_mb(always, per_mb=0, of=None):
    """Resource function: so many MB, and a multiple of what is read, times the attempt.

    `of` gives MB of the inputs; without it all that they hold counts. A job that was killed for
    its memory thus asks for more at its next attempt.
    """
    measure = of or read_mb
    return lambda wildcards, input, attempt: attempt * ceil(always + per_mb * measure(input))


def minutes(first):
    """Resource function: the minutes of the first attempt, times the attempt."""
    return lambda wildcards, attempt: attempt * first


def read_mb(input):
    """What inputs hold, folders with all that lies in them."""
    return sum(map(size_of, input)) / 1e6


def size_of(path):
    """Bytes of a file, or of the files of a folder."""
    if not os.path.isdir(path):
        return os.stat(path).st_size
    return sum(file.stat().st_size for file in Path(path).rglob("*") if file.is_file())


def largest_tensor_mb(input):
    """The largest tensor of the checkpoints as float32: jobs read one at a time."""
    checkpoints = [(path, os.stat(path).st_mtime_ns) for path in input.get("snapshots", [])]
    return max([4 * most_weights(*checkpoint) for checkpoint in checkpoints], default=0) / 1e6


@lru_cache
def most_weights(path, changed):
    """Weights of the largest tensor of a checkpoint, as headers say."""
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    try:
        return max([t.weights for t in open_snapshot(folder, path).tensors.values()], default=0)
    except (AtlasError, OSError):
        return 0  # The job that reads it says what is wrong with it.


# Room for the libraries that a job loads, for what it makes of what it reads, and for the two
# Snakemakes around it on a cluster, which take 500 MB; somewhat more than the default study was
# measured to take (results/runtimes.csv), and than a model of 1.24 G weights was (docs/scaling.md).
tensor_memory_mb = memory_mb(1500, 4, largest_tensor_mb)
language_model_memory_mb = memory_mb(2500, 20)
training_memory_mb = memory_mb(4000, 4)
corpus_memory_mb = memory_mb(2000, 6)
text_memory_mb = memory_mb(1000, 40)
plane_memory_mb = memory_mb(2000)

# What is drawn or decided from tables.
of_tables = {"mem_mb": memory_mb(1000, 20), "runtime": minutes(20)}
