"""The formats by what config.json calls them."""

from qatlas.errors import AtlasError, nearest, shown
from qatlas.models.prequantized import awq, bitsandbytes_4bit, compressed_tensors, gptq
from qatlas.models.prequantized.layer import Described, Format

FORMATS: dict[str, Format] = {
    "gptq": gptq.FORMAT,
    "awq": awq.FORMAT,
    "compressed-tensors": compressed_tensors.FORMAT,
    "bitsandbytes": bitsandbytes_4bit.FORMAT,
}
"""By the value of quantization_config.quant_method."""


def format_of(described: Described, where: str) -> Format:
    """The format of a checkpoint.

    Raises
    ------
    AtlasError
        If its method or variant is not read; the message names the file and the key.
    """
    method = str(described.get("quant_method"))
    if method not in FORMATS:
        raise AtlasError(
            f"{where}: quantization_config.quant_method is {shown(method)}; "
            f"{nearest(method[:100], FORMATS)}"
        )
    found = FORMATS[method]
    found.bits(described, where)
    return found
