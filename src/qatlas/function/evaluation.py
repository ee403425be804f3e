"""Language models under every codec: what is stored, what is lost, and what the output becomes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from itertools import islice
from statistics import fmean
from typing import Any

import pandas as pd

from qatlas.function.calibration import Moments
from qatlas.function.quantization import (
    Point,
    error_columns,
    layer_row,
    model_bits,
    quantize_layers,
    rate_columns,
    stored_bits,
    writer_of,
)
from qatlas.models.divergence import Divergence, compare, in_bfloat16
from qatlas.models.layers import Layer, linear_layers
from qatlas.models.reading import Reader, part_of_text
from qatlas.models.windows import Text, Windows, sha256_of

_TOGETHER_BYTES = 1 << 26
"""Copies of a model that are compared with it in one pass over the text take at most this."""

REFERENCE = Point("float32", "cast", {"dtype": "float32"})
HALF = Point("float16", "cast", {"dtype": "float16"})
NOISE_FLOOR = Point("bfloat16", "cast", {"dtype": "bfloat16"})
"""What every model is measured at besides: as it is, its quantized weights in float16, and all of
it computed in bfloat16, which shows what only the usual precision of inference changes."""


@dataclass(frozen=True)
class Reading:
    """What a model is made to read.

    Attributes
    ----------
    text
        To predict.
    windows
        How it is cut.
    batch
        Windows at a time.
    device
        Such as "cpu" or "cuda".
    """

    text: Text
    windows: Windows
    batch: int
    device: str


def reading_of(
    documents: pd.DataFrame,
    reader: Reader,
    part: str,
    tokens: int,
    context: int,
    batch: int,
    device: str,
    seed: int,
) -> Reading:
    """So many tokens of a part of the text, in windows that do not overlap."""
    text = part_of_text(documents, part, reader, tokens, seed)
    return Reading(text, Windows(context, context), batch, device)


@dataclass(frozen=True)
class Calibrated:
    """A language model and what calibrated codecs know of it.

    Attributes
    ----------
    name, seed
        Columns ``model`` and ``seed`` of every row.
    model
        Causal language model, as stored.
    keep
        Name patterns of weights that are not quantized.
    moments
        Of the inputs of its linear layers, by the names of their weights.
    """

    name: str
    seed: int
    model: Any
    keep: tuple[str, ...]
    moments: Mapping[str, Moments]

    @property
    def layers(self) -> list[Layer]:
        """What is quantized."""
        return linear_layers(self.model, self.keep)

    @property
    def key(self) -> dict[str, Any]:
        """Columns that name it in every table."""
        return {"model": self.name, "seed": self.seed}


@dataclass(frozen=True)
class Evaluated:
    """Rows of the tables ``evaluations``, ``positions`` and ``layers``."""

    evaluations: list[dict[str, Any]] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)
    layers: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Candidate:
    """A changed model, and all that is known of it before it reads anything.

    Attributes
    ----------
    model
        To be compared with what it was made from.
    known
        Columns of its row of the table ``evaluations`` but for those that reading gives.
    layers
        Its rows of the table ``layers``.
    """

    model: Any
    known: dict[str, Any]
    layers: list[dict[str, Any]]


def evaluate_points(
    calibrated: Calibrated,
    points: Sequence[Point],
    reading: Reading,
    seed: int,
    progress: Callable[[Sequence[Point]], Iterable[Point]],
) -> Evaluated:
    """Quantize a model in many ways and compare each with the model itself.

    Parameters
    ----------
    points
        Ways to quantize it, besides those that every model is measured at.
    seed
        Configured seed, from which all randomness derives.
    progress
        Takes the points and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If no layer is left to quantize, a codec refuses one, or the text does not fit the model.
    """
    every = [REFERENCE, NOISE_FLOOR, HALF, *points]
    candidates = (_candidate(calibrated, point, seed) for point in progress(every))
    return compare_candidates(calibrated.model, candidates, reading)


def compare_candidates(
    reference: Any, candidates: Iterable[Candidate], reading: Reading
) -> Evaluated:
    """Let changed models read, beside the one that they were made from, a few at a time."""
    evaluated = Evaluated()
    coming = iter(candidates)
    while together := list(islice(coming, copies_at_once(reference))):
        _compare_group(reference, together, reading, evaluated)
        # A large model has no room for these beside the next.
        together.clear()
    return evaluated


def _compare_group(
    reference: Any, candidates: Sequence[Candidate], reading: Reading, evaluated: Evaluated
) -> None:
    about_text = {
        "context": reading.windows.context,
        "text_sha256": sha256_of(reading.text.tokens),
    }
    found = compare_all(reference, [c.model for c in candidates], reading)
    for candidate, divergence in zip(candidates, found, strict=True):
        key = {name: candidate.known[name] for name in _KEY}
        evaluated.evaluations.append(candidate.known | divergence_columns(divergence) | about_text)
        evaluated.layers.extend(candidate.layers)
        evaluated.positions.extend(
            key | {"position": position, "logits_mse": mse}
            for position, mse in enumerate(divergence.logits_mse_by_position.tolist(), start=1)
        )


_KEY = ("model", "seed", "series", "codec", "parameters", "nominal_bits")


def compare_all(reference: Any, models: Sequence[Any], reading: Reading) -> list[Divergence]:
    """Compare models with one reference, in one pass over the text."""
    found = compare(
        reference,
        {str(place): model for place, model in enumerate(models)},
        reading.text,
        reading.windows,
        reading.batch,
        reading.device,
    )
    return [found[str(place)] for place in range(len(models))]


def divergence_columns(found: Divergence) -> dict[str, Any]:
    """Columns of the table ``evaluations`` that say what the output became."""
    likelihood = found.likelihood
    return {
        "nll": likelihood.nll,
        "nll_standard_error": likelihood.nll_standard_error,
        "perplexity": likelihood.perplexity,
        "bits_per_byte": likelihood.bits_per_byte,
        "scored_tokens": likelihood.scored_tokens,
        **{
            name: value
            for name, value in asdict(found).items()
            if name not in ("likelihood", "logits_mse_by_position")
        },
    }


def _candidate(calibrated: Calibrated, point: Point, seed: int) -> Candidate:
    key = calibrated.key | point.key()
    model, moments = calibrated.model, calibrated.moments
    changed = in_bfloat16(model) if point == NOISE_FLOOR else deepcopy(model)
    write, rows, totals = writer_of(changed), [], []
    for found in quantize_layers(calibrated.layers, point.create(), moments, seed, calibrated.name):
        write(found)
        rows.append(layer_row(found, moments[found.layer.tensor]))
        totals.append(found.totals)
    output_nmse = fmean(row["output_nmse"] for row in rows)
    return Candidate(
        changed,
        key
        | rate_columns(model, totals, model_bits(model, totals))
        | error_columns(totals)
        | {"output_nmse": output_nmse},
        [key | row for row in rows],
    )


def copies_at_once(model: Any) -> int:
    """How many copies of a model are compared with it in one pass over the text."""
    return max(1, 8 * _TOGETHER_BYTES // stored_bits(model.parameters()))
