"""A language model with its linear layers quantized, and what each layer loses."""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from qatlas.codecs.base import Codec, CodecError, Context, Encoded
from qatlas.codecs.measure import Distortion, distortion_of, encode_and_decode, rate_of
from qatlas.codecs.output_error import output_error, output_gap_bits
from qatlas.codecs.registry import create, name_of, parameters_of
from qatlas.deferred import torch
from qatlas.function.calibration import Moments
from qatlas.models.layers import Layer, linear_layers
from qatlas.seeds import generator

if TYPE_CHECKING:
    from torch import Tensor

_BIAS_BITS = 16


@dataclass(frozen=True)
class Point:
    """One way to quantize a layer.

    Attributes
    ----------
    series
        Name of its grid.
    codec, parameters
        As the registry takes them.
    """

    series: str
    codec: str
    parameters: Mapping[str, Any]

    def create(self) -> Codec:
        """The codec."""
        return create(self.codec, **self.parameters)

    def key(self) -> dict[str, Any]:
        """Columns that name the point in every table."""
        codec = self.create()
        return {
            "series": self.series,
            "codec": name_of(codec),
            "parameters": parameters_of(codec),
            "nominal_bits": codec.nominal_bits,
        }


@dataclass(frozen=True)
class QuantizedLayer:
    """A layer as it is stored, and as it comes back: float32, (output, input) channels."""

    layer: Layer
    encoded: Encoded
    decoded: "Tensor"

    @cached_property
    def distortion(self) -> Distortion:
        """Of its weights."""
        return distortion_of(self.layer.weight, self.decoded)


def quantize_layers(
    layers: Sequence[Layer],
    codec: Codec,
    moments: Mapping[str, Moments],
    seed: int,
    model: str,
) -> list[QuantizedLayer]:
    """Send the weights of layers through a codec, each by itself.

    Parameters
    ----------
    moments
        Of the layers' inputs, by the names of their weights; of a layer without, codecs know the
        weights alone.
    seed, model
        From which, and from the names of layer and codec, the codec's randomness derives.

    Raises
    ------
    CodecError
        If the codec refuses a weight or decodes another shape; the message names model and tensor.
    """
    quantized = []
    for layer in layers:
        names = (model, layer.tensor, name_of(codec), parameters_of(codec))
        known = moments.get(layer.tensor)
        context = Context(generator(seed, *names), known.second if known else None)
        try:
            coded = encode_and_decode(layer.weight, codec, context)
        except CodecError as error:
            raise CodecError(f"model {model}, tensor {layer.tensor}: {error}") from error
        quantized.append(QuantizedLayer(layer, coded.encoded, coded.decoded))
    return quantized


def with_weights(model: Any, quantized: Sequence[QuantizedLayer]) -> Any:
    """A copy of a model with the decoded weights in place of its own."""
    copy = deepcopy(model)
    write_weights(copy, quantized)
    return copy


def write_weights(model: Any, quantized: Sequence[QuantizedLayer]) -> None:
    """Put the decoded weights in place of a model's own."""
    layers = {layer.tensor: layer for layer in linear_layers(model, keep=())}
    for found in quantized:
        layers[found.layer.tensor].write(found.decoded)


def model_bits(model: Any, quantized: Sequence[QuantizedLayer]) -> int:
    """Stored bits of a model with these of its layers quantized and the rest as in its files.

    A model that was loaded may compute in another type than its files have; its configuration
    knows theirs.
    """
    replaced = [found.layer.weight for found in quantized]
    each = 8 * (getattr(model.config, "dtype", None) or model.dtype).itemsize
    kept = sum(p.numel() for p in model.parameters()) - sum(w.numel() for w in replaced)
    return int(each * kept + bits_of(quantized))


def rate_columns(
    model: Any, quantized: Sequence[QuantizedLayer], bits_of_all: int
) -> dict[str, Any]:
    """Columns weights, rate_bits_per_weight and model_bits_per_parameter.

    Parameters
    ----------
    model
        The float model.
    bits_of_all
        Stored bits of the whole quantized model.
    """
    weights = sum(found.layer.weight.numel() for found in quantized)
    return {
        "weights": weights,
        "rate_bits_per_weight": bits_of(quantized) / weights,
        "model_bits_per_parameter": bits_of_all / sum(p.numel() for p in model.parameters()),
    }


def error_columns(quantized: Sequence[QuantizedLayer]) -> dict[str, float]:
    """Columns mse and nmse, all weights counting alike."""
    weights = [found.layer.weight for found in quantized]
    errors = sum(found.distortion.mse * found.layer.weight.numel() for found in quantized)
    variances = sum(float(w.double().var(correction=0)) * w.numel() for w in weights)
    return {"mse": errors / sum(w.numel() for w in weights), "nmse": errors / variances}


def bits_of(quantized: Sequence[QuantizedLayer]) -> int:
    """Stored bits of layers."""
    return sum(sum(found.encoded.bits().values()) for found in quantized)


def stored_bits(tensors: Iterable["Tensor"]) -> int:
    """Bits of tensors as they are."""
    return sum(8 * tensor.element_size() * tensor.numel() for tensor in tensors)


def layer_row(quantized: QuantizedLayer, moments: Moments) -> dict[str, Any]:
    """Row of the table ``layers``, but for what names model and point."""
    layer, decoded = quantized.layer, quantized.decoded
    weight, role = layer.weight, layer.role
    rate = rate_of(quantized.encoded, weight.numel()).total
    distortion = quantized.distortion
    power = output_error(weight, torch.zeros_like(weight), moments.second)
    error = output_error(weight, decoded, moments.second)
    variance = float(weight.double().var(correction=0))
    gap = output_gap_bits(rate, error, moments.second, variance) if error > 0 else None
    return {
        "tensor": layer.tensor,
        "kind": role.kind,
        "layer": role.layer,
        "weights": weight.numel(),
        "rate_bits_per_weight": rate,
        "mse": distortion.mse,
        "nmse": distortion.nmse,
        "output_mse": error,
        "output_nmse": error / power,
        "output_gap_bits": None if gap is None else float(gap),
        "bias_corrected_output_nmse": output_error(weight, decoded, moments.covariance) / power,
        "bias_bits_per_weight": _BIAS_BITS / weight.shape[1],
    }
