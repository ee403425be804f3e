"""A language model with its linear layers quantized, and what each layer loses."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
class Totals:
    """What a layer adds to what is said of its whole model.

    Attributes
    ----------
    weights
        How many it has.
    bits
        Stored for them, everything charged.
    squared_error
        Sum over its weights.
    squared_deviation
        From the mean of the layer's weights, summed over them.
    """

    weights: int
    bits: int
    squared_error: float
    squared_deviation: float


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

    @property
    def totals(self) -> Totals:
        """What is left of it for its model's rows when the layer itself is let go."""
        weight = self.layer.weight
        return Totals(
            weight.numel(),
            sum(self.encoded.bits().values()),
            self.distortion.mse * weight.numel(),
            float(weight.double().var(correction=0)) * weight.numel(),
        )


def quantize_layers(
    layers: Sequence[Layer],
    codec: Codec,
    moments: Mapping[str, Moments],
    seed: int,
    model: str,
) -> Iterator[QuantizedLayer]:
    """Send the weights of layers through a codec, each by itself and when it is asked for.

    Parameters
    ----------
    moments
        Of the layers' inputs, by the names of their weights; of a layer without, codecs know the
        weights alone.
    seed, model
        From which, and from the names of layer and codec, the codec's randomness derives.

    Yields
    ------
    QuantizedLayer
        In the order of the layers. A large model has room for one at a time.

    Raises
    ------
    CodecError
        If the codec refuses a weight or decodes another shape; the message names model and tensor.
    """
    for layer in layers:
        names = (model, layer.tensor, name_of(codec), parameters_of(codec))
        known = moments.get(layer.tensor)
        context = Context(generator(seed, *names), known.second if known else None)
        try:
            coded = encode_and_decode(layer.weight, codec, context)
        except CodecError as error:
            raise CodecError(f"model {model}, tensor {layer.tensor}: {error}") from error
        yield QuantizedLayer(layer, coded.encoded, coded.decoded)


def with_weights(model: Any, quantized: Iterable[QuantizedLayer]) -> Any:
    """A copy of a model with the decoded weights in place of its own."""
    copy = deepcopy(model)
    write = writer_of(copy)
    for found in quantized:
        write(found)
    return copy


def writer_of(model: Any) -> Callable[[QuantizedLayer], None]:
    """What puts a decoded weight in place of a model's own."""
    layers = {layer.tensor: layer for layer in linear_layers(model, keep=())}
    return lambda found: layers[found.layer.tensor].write(found.decoded)


def model_bits(model: Any, layers: Sequence[Totals]) -> int:
    """Stored bits of a model with these of its layers quantized and the rest as in its files.

    A model that was loaded may compute in another type than its files have; its configuration
    knows theirs.
    """
    each = 8 * (getattr(model.config, "dtype", None) or model.dtype).itemsize
    kept = sum(p.numel() for p in model.parameters()) - sum(layer.weights for layer in layers)
    return int(each * kept + sum(layer.bits for layer in layers))


def rate_columns(model: Any, layers: Sequence[Totals], bits_of_all: int) -> dict[str, Any]:
    """Columns weights, rate_bits_per_weight and model_bits_per_parameter.

    Parameters
    ----------
    model
        The float model.
    bits_of_all
        Stored bits of the whole quantized model.
    """
    weights = sum(layer.weights for layer in layers)
    return {
        "weights": weights,
        "rate_bits_per_weight": sum(layer.bits for layer in layers) / weights,
        "model_bits_per_parameter": bits_of_all / sum(p.numel() for p in model.parameters()),
    }


def error_columns(layers: Sequence[Totals]) -> dict[str, float]:
    """Columns mse and nmse, all weights counting alike."""
    errors = sum(layer.squared_error for layer in layers)
    return {
        "mse": errors / sum(layer.weights for layer in layers),
        "nmse": errors / sum(layer.squared_deviation for layer in layers),
    }


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
