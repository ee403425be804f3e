"""NF4 and FP4 as bitsandbytes stores them.

Source: Dettmers et al. 2023, "QLoRA" (arXiv 2305.14314), for NF4 and scales that are quantized
themselves; the layout is that of bitsandbytes' Params4bit and QuantState.
"""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field, FiniteFloat, ValidationError

from qatlas.deferred import torch
from qatlas.errors import AtlasError, said
from qatlas.models.prequantized.layer import Described, Format, StoredLayer, require_one_of

if TYPE_CHECKING:
    from torch import Tensor

_Block = Annotated[int, Field(ge=1, le=2**20)]
_LONGEST_STATE = 4096
_STATES = ("weight.quant_state.bitsandbytes__nf4", "weight.quant_state.bitsandbytes__fp4")


def bits_of(described: Described, where: str) -> int:
    """Bits of a code, 4.

    Raises
    ------
    AtlasError
        If the checkpoint was not quantized to 4 bits.
    """
    key = next((k for k in ("load_in_4bit", "_load_in_4bit") if k in described), "load_in_4bit")
    require_one_of(described, key, (True,), where)
    return 4


def read(layer: StoredLayer) -> "Tensor":
    """Value of the code times scale of its block, float32, shape (output, input channels).

    Blocks run along the rows and over their ends; of two codes in a byte the first has the higher
    bits. Rounding to the type that layers are computed in is left to those who compute.

    Raises
    ------
    AtlasError
        If a tensor is missing or not of the shape that the weight asks for.
    """
    state = _state(layer)
    if state.shape != layer.shape:
        raise AtlasError(
            f"{layer.name}: holds a weight of shape {state.shape}, and the base one of "
            f"{layer.shape}; name the base that the checkpoint was made from"
        )
    weights, block = layer.shape[0] * layer.shape[1], state.blocksize
    packed = layer.stored("weight").contiguous().flatten().view(torch.uint8)
    values = layer.numbers("weight.quant_map")
    if packed.numel() != -(-weights // 2) or tuple(values.shape) != (16,):
        raise AtlasError(
            f"{layer.name}: {packed.numel()} bytes and {values.numel()} values of codes, where "
            f"{weights} weights take {-(-weights // 2)} bytes and 16 values; fetch the file again"
        )
    codes = torch.stack((packed >> 4, packed & 15), -1).flatten()[:weights]
    scales = _scales(layer, state, -(-weights // block))
    return (values[codes.int()] * scales.repeat_interleave(block)[:weights]).view(layer.shape)


class _State(BaseModel):
    shape: tuple[int, ...]
    blocksize: _Block
    nested_blocksize: _Block = 256
    nested_offset: FiniteFloat = 0.0


def _state(layer: StoredLayer) -> _State:
    """What is stored beside the tensors: sides, lengths of blocks, types, as JSON in bytes."""
    name = next((name for name in _STATES if name in layer.tensors), _STATES[0])
    found = layer.tensors.get(name)
    if found is None or found.dtype != torch.uint8 or found.numel() > _LONGEST_STATE:
        described = "missing" if found is None else f"{found.numel()} numbers of {found.dtype}"
        raise AtlasError(
            f"{layer.name}.{name}: {described}; allowed is JSON of at most {_LONGEST_STATE} bytes; "
            "fetch the file again"
        )
    try:
        return _State.model_validate_json(bytes(found.flatten().tolist()))
    except ValidationError as error:
        raise AtlasError(
            f"{layer.name}.{name}: does not say how blocks lie ({said(error)}); fetch the file "
            "again"
        ) from error


def _scales(layer: StoredLayer, state: _State, count: int) -> "Tensor":
    if "weight.nested_absmax" not in layer.tensors:
        return layer.tensor("weight.absmax", torch.float32, (count,))
    codes = layer.tensor("weight.absmax", torch.uint8, (count,))
    values = layer.tensor("weight.nested_quant_map", torch.float32, (256,))
    block = state.nested_blocksize
    scales = layer.tensor("weight.nested_absmax", torch.float32, (-(-count // block),))
    nested = values[codes.int()] * scales.repeat_interleave(block)[:count]
    return nested + state.nested_offset


FORMAT = Format(
    name="bitsandbytes_4bit",
    marks=("weight.absmax",),
    parts={
        "weight": "payload",
        "weight.absmax": "scale",
        "weight.nested_absmax": "scale.nested",
        "weight.quant_map": "codebook",
        "weight.nested_quant_map": "codebook.nested",
        **dict.fromkeys(_STATES, "other.state"),
    },
    moves_scales=False,
    bits=bits_of,
    read=read,
)
