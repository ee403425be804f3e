"""What a language model predicts when its linear layers multiply by table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import ceil, log2
from typing import Any

from qatlas.lut.language_models.levels import SCALES, levels_of, on_levels, rounding
from qatlas.lut.language_models.linear import TableLinear, by_table, require_used
from qatlas.lut.language_models.multipliers import TrueProducts, table_products
from qatlas.lut.language_models.points import Point
from qatlas.lut.language_models.stages import ENCODE, EXACT, FLOAT, NOISE
from qatlas.lut.multipliers import MULTIPLIERS, multiplier_table
from qatlas.lut.product_table import ProductTable, encoded_table
from qatlas.models.divergence import Divergence, compare, in_bfloat16
from qatlas.models.layers import Layer
from qatlas.models.windows import Text, Windows, sha256_of
from qatlas.seeds import generator

_TOGETHER = 8
"""Models that are compared in one pass over the text."""


@dataclass(frozen=True)
class Scaling:
    """How real operands become levels.

    Attributes
    ----------
    range
        R of encoded tables.
    weights
        What shares a scale: channel or tensor.
    activations
        token or tensor; a tensor holds a batch of windows.
    """

    range: float
    weights: str
    activations: str


@dataclass(frozen=True)
class Reading:
    """What a model is made to read, on the CPU: a text, how it is cut, and windows at a time."""

    text: Text
    windows: Windows
    batch: int


@dataclass(frozen=True)
class Subject:
    """A language model, as stored.

    Attributes
    ----------
    name, seed
        Columns ``model`` and ``seed`` of every row.
    model
        Of transformers' kind.
    keep
        Name patterns of weights whose layers multiply as they do.
    """

    name: str
    seed: int
    model: Any
    keep: tuple[str, ...]


def measure(
    subject: Subject,
    points: Sequence[Point],
    scaling: Scaling,
    reading: Reading,
    seed: int,
    progress: Callable[[Sequence[Point]], Iterable[Point]],
) -> list[dict[str, Any]]:
    """Rows of the table ``table_models``: the model itself, in bfloat16, and at every point.

    Parameters
    ----------
    seed
        Configured seed, from which that of every stochastic rounding derives.
    progress
        Takes the points and yields them again; a job shows progress this way.

    Raises
    ------
    AtlasError
        If no layer is left, a table has no levels below 0, an accumulator has no room, or the text
        does not fit the model.
    """
    itself = {FLOAT: subject.model, NOISE: in_bfloat16(subject.model)}
    found = _compare(subject.model, itself, reading)
    rows = [
        _row(subject, Point(stage, EXACT, 0, "none", EXACT), scaling, reading, divergence)
        for stage, divergence in found.items()
    ]
    waiting: dict[Point, Any] = {}
    for number, point in enumerate(progress(points), start=1):
        waiting[point] = with_table(subject, point, scaling, seed)
        if len(waiting) == _TOGETHER or number == len(points):
            compared = _compare(subject.model, waiting, reading)
            rows += [_row(subject, p, scaling, reading, compared[p]) for p in waiting]
            waiting = {}
    return rows


def with_table(subject: Subject, point: Point, scaling: Scaling, seed: int) -> Any:
    """A copy of a model whose linear layers multiply as a point says."""
    table = table_of(point.encoding, point.size, scaling.range)
    levels = levels_of(table)
    true = TrueProducts.of(table)

    @cache
    def looked_up(terms: int) -> Any:
        accumulator = "int32" if point.accumulator == EXACT else point.accumulator
        return table_products(table, accumulator, terms)

    def linear(layer: Layer) -> TableLinear:
        # The same for every stage, encoding and accumulator: these are to differ in nothing else.
        of_weights, of_activations = (
            rounding(
                point.method, generator(seed, "lut", subject.name, str(point.size), layer.tensor, w)
            )
            for w in ("weights", "activations")
        )
        weight = layer.weight.double().numpy()
        return TableLinear(
            on_levels(weight, levels, SCALES[scaling.weights], of_weights),
            layer.module.bias if hasattr(layer.module, "bias") else None,
            partial(
                on_levels,
                levels=levels,
                largest=SCALES[scaling.activations],
                round_to=of_activations,
            ),
            true if point.stage == ENCODE else looked_up(weight.shape[1]),
        )

    return by_table(subject.model, subject.keep, linear)


def table_of(name: str, size: int, limit: float) -> ProductTable:
    """The table of an encoding or a multiplier; of ``EXACT``, one with even operands."""
    if name in MULTIPLIERS:
        return multiplier_table(name)
    return encoded_table("signed_ext" if name == EXACT else name, size, limit)


def _compare(reference: Any, models: Mapping[Any, Any], reading: Reading) -> dict[Any, Divergence]:
    """Divergences by the keys of ``models``."""
    names = {str(key): key for key in models}
    found = compare(
        reference,
        {name: models[key] for name, key in names.items()},
        reading.text,
        reading.windows,
        reading.batch,
        "cpu",
    )
    for model in models.values():
        require_used(model)
    return {names[name]: divergence for name, divergence in found.items()}


def _row(
    subject: Subject, point: Point, scaling: Scaling, reading: Reading, found: Divergence
) -> dict[str, Any]:
    likelihood = found.likelihood
    return {
        "model": subject.name,
        "seed": subject.seed,
        "stage": point.stage,
        "encoding": point.encoding,
        "size": point.size,
        "bits": ceil(log2(point.size)) if point.size else 32,
        "range": scaling.range,
        "method": point.method,
        "accumulator": point.accumulator,
        "weight_scales": scaling.weights,
        "activation_scales": scaling.activations,
        "nll": likelihood.nll,
        "nll_standard_error": likelihood.nll_standard_error,
        "perplexity": likelihood.perplexity,
        "mean_kl": found.mean_kl,
        "p99_kl": found.p99_kl,
        "logits_mse": found.logits_mse,
        "top1_agreement": found.top1_agreement,
        "scored_tokens": likelihood.scored_tokens,
        "context": reading.windows.context,
        "text_sha256": sha256_of(reading.text.tokens),
    }
