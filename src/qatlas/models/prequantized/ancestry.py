"""Whether a quantized checkpoint was made from a base, and which of its other weights moved."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qatlas.deferred import torch
from qatlas.errors import AtlasError, said
from qatlas.models.prequantized.opening import Prequantized
from qatlas.weights.model_config import CONFIG, read_model_config

if TYPE_CHECKING:
    from torch import Tensor

_NOT_ARCHITECTURE = frozenset(
    {
        "quantization_config",
        "dtype",
        "torch_dtype",
        "transformers_version",
        "architectures",
        "use_cache",
        "bos_token_id",
        "eos_token_id",
        "pad_token_id",
        "initializer_range",
        "pretraining_tp",
    }
)
"""Keys of config.json that tools rewrite and that say nothing of which model it is."""

_ADVICE = (
    "name as its base the model that it was made from; an instruct model is another model than the "
    "one that it was tuned from, and so is another training"
)


def require_architecture(checkpoint: Prequantized, model: Any, base: str) -> None:
    """Refuse a checkpoint of another architecture than the base's.

    Parameters
    ----------
    model, base
        The base, a causal language model of transformers, and its name.

    Raises
    ------
    AtlasError
        If a key of their configurations differs; the message has both values.
    """
    expected, found = model.config.to_dict(), _config(checkpoint.folder)
    if differing := list(_differences(expected, found)):
        lines = "\n".join(f"  {key}: {its!r}, {base} has {mine!r}" for key, mine, its in differing)
        raise AtlasError(
            f"checkpoint {checkpoint.name}: {checkpoint.folder / CONFIG} is not of {base}:\n"
            f"{lines}\n{_ADVICE}"
        )


def moved_tensors(
    checkpoint: Prequantized, model: Any, parameters: Mapping[str, "Tensor"], base: str
) -> list[str]:
    """Names of parameters that are neither the base's nor what rounding makes of them.

    Parameters
    ----------
    model, base
        The base and its name.
    parameters
        Those of the base that are not quantized, by name.

    Raises
    ------
    AtlasError
        If an embedding or the head moved, or any did though no tool of the format moves scales
        into norms; the message has the values where they are farthest apart.
    """
    head = model.get_output_embeddings()
    embeddings = {
        f"{name}.weight"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Embedding) or module is head
    }
    moved = []
    for name, expected in parameters.items():
        found = checkpoint.read(name)
        if _is_rounded(expected, found):
            continue
        if name in embeddings or not checkpoint.format.moves_scales:
            raise AtlasError(_apart(checkpoint, name, expected, found, base))
        moved.append(name)
    return moved


def _config(folder: Path) -> dict[str, Any]:
    from transformers import AutoConfig

    read_model_config(folder, str(folder))
    try:
        described: dict[str, Any] = AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        ).to_dict()
    except Exception as error:  # What code for a hundred architectures raises is of any class.
        raise AtlasError(
            f"{folder / CONFIG}: not of an architecture that transformers knows ({said(error)})"
        ) from error
    return described


def _differences(
    expected: Mapping[str, Any], found: Mapping[str, Any]
) -> Iterator[tuple[str, Any, Any]]:
    # With its defaults every key of an architecture is in both; others are a tool's own.
    for key in sorted((expected.keys() & found.keys()) - _NOT_ARCHITECTURE):
        if not key.startswith("_") and expected[key] != found[key]:
            yield key, expected[key], found[key]


def _is_rounded(expected: "Tensor", found: "Tensor") -> bool:
    """Whether rounding to half precision at most, on the way or in the file, explains a tensor."""
    if expected.shape != found.shape:
        return False
    ways = (expected.dtype, torch.float16, torch.bfloat16)
    return any(torch.equal(expected.to(way).to(found.dtype), found) for way in ways)


def _apart(
    checkpoint: Prequantized, name: str, expected: "Tensor", found: "Tensor", base: str
) -> str:
    begin = f"checkpoint {checkpoint.name}: {name} in {checkpoint.folder} is not that of {base}"
    if expected.shape != found.shape:
        return (
            f"{begin}: its shape is {tuple(found.shape)}, and {tuple(expected.shape)} in {base}; "
            f"{_ADVICE}"
        )
    mine, its = expected.double().flatten(), found.double().flatten()
    place = int((mine - its).abs().argmax())
    return (
        f"{begin}, rounded to {str(found.dtype).removeprefix('torch.')}: weight {place} is "
        f"{float(its[place]):.6g}, and {float(mine[place]):.6g} in {base}; {_ADVICE}"
    )
