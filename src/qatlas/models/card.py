"""What a trained model is made of, beside its weights: a card to read and to check against."""

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from qatlas.atomic import replacing
from qatlas.errors import AtlasError, said
from qatlas.foreign_files import read_json_object

if TYPE_CHECKING:
    from qatlas.models.likelihood import Likelihood
    from qatlas.models.train import Training

CARD = "card.json"
README = "README.md"

_PACKAGES = ("torch", "transformers", "tokenizers", "numpy")


@dataclass(frozen=True)
class Card:
    """A trained model.

    Attributes
    ----------
    architecture, seed
        As in the configuration.
    parameters
        Weights that were trained, tied ones once.
    sha256
        Of the tokens of the training and of the validation part, and of tokenizer.json.
    recipe
        How it was trained: the fields of ``train.Training``.
    validation_nll, validation_perplexity, validation_bits_per_byte
        At the end: nats per token, its exponential, and bits per byte of text.
    seconds
        That the training took, from the first step or from where it went on.
    device
        What it was trained on.
    versions
        Of the packages that it was trained with.
    """

    architecture: str
    seed: int
    parameters: int
    sha256: dict[str, str]
    recipe: dict[str, Any]
    validation_nll: float
    validation_perplexity: float
    validation_bits_per_byte: float
    seconds: float
    device: str
    versions: dict[str, str]


def card_of(
    model: Any,
    training: "Training",
    sha256: dict[str, str],
    validation: "Likelihood",
    seconds: float,
    device: str,
    architecture: str,
    seed: int,
) -> Card:
    """The card of a model that was just trained here; arguments as the card's fields."""
    return Card(
        architecture=architecture,
        seed=seed,
        parameters=sum(weight.numel() for weight in model.parameters()),
        sha256=sha256,
        recipe={name: value for name, value in asdict(training).items() if name != "seed"},
        validation_nll=validation.nll,
        validation_perplexity=validation.perplexity,
        validation_bits_per_byte=validation.bits_per_byte,
        seconds=seconds,
        device=device,
        versions={name: version(name) for name in _PACKAGES},
    )


def write_card(card: Card, folder: str | Path) -> None:
    """Write card.json, and README.md, which says the same in words."""
    with replacing(Path(folder) / CARD) as unfinished:
        unfinished.write_text(json.dumps(asdict(card), indent=2) + "\n")
    with replacing(Path(folder) / README) as unfinished:
        unfinished.write_text(_in_words(card))


def read_card(folder: str | Path) -> Card:
    """Read card.json.

    Raises
    ------
    AtlasError
        If there is none, or it is not one.
    """
    path = Path(folder) / CARD
    remedy = "train the model with `snakemake train`"
    try:
        return TypeAdapter(Card).validate_python(read_json_object(path, "card", remedy))
    except ValidationError as error:
        raise AtlasError(f"{path}: not a readable card ({said(error)}); {remedy}") from error


def _in_words(card: Card) -> str:
    recipe = "\n".join(f"| {name} | {value} |" for name, value in card.recipe.items())
    hashes = "\n".join(f"| {what} | `{digest}` |" for what, digest in card.sha256.items())
    versions = ", ".join(f"{name} {version}" for name, version in card.versions.items())
    return f"""---
library_name: transformers
pipeline_tag: text-generation
license: mit
---

# {card.architecture}, seed {card.seed}

A causal language model of {card.parameters:,} parameters, trained on docstrings to study what
quantization does to it. It is too small to be of any other use.

Trained by `snakemake train` in {card.seconds / 60:.1f} minutes on {card.device}
({versions}).

| on the validation part | |
|---|---|
| NLL | {card.validation_nll:.4f} nats per token |
| perplexity | {card.validation_perplexity:.2f} |
| bits per byte | {card.validation_bits_per_byte:.4f} |

| SHA-256 of | |
|---|---|
{hashes}

| recipe | |
|---|---|
{recipe}
"""
