"""What a checkpoint stores of one quantized layer, and what a format makes of it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from qatlas.deferred import torch
from qatlas.errors import AtlasError, shown

if TYPE_CHECKING:
    from torch import Tensor

Described = Mapping[str, Any]
"""The section quantization_config of a checkpoint's config.json."""


@dataclass(frozen=True)
class StoredLayer:
    """One quantized layer as its files hold it.

    Attributes
    ----------
    name
        What messages call it: the checkpoint and the layer.
    shape
        Of its weight in the base: output channels, input channels.
    tensors
        All that is stored of it but its bias, by what stands behind the layer's name.
    described
        How the checkpoint says it was quantized.
    """

    name: str
    shape: tuple[int, int]
    tensors: Mapping[str, "Tensor"]
    described: Described

    def tensor(self, suffix: str, dtype: "torch.dtype", shape: tuple[int, ...]) -> "Tensor":
        """One of the tensors.

        Raises
        ------
        AtlasError
            If it is missing, or of another type or shape than the format and the base ask for.
        """
        found = self.stored(suffix)
        if found.dtype != dtype or tuple(found.shape) != shape:
            raise AtlasError(
                f"{self.name}.{suffix}: found {found.dtype} of shape {tuple(found.shape)}, where "
                f"a weight of {self.shape[0]} x {self.shape[1]} takes {dtype} of shape {shape}; "
                "name the base that the checkpoint was made from, or fetch the file again"
            )
        return found

    def numbers(self, suffix: str) -> "Tensor":
        """One of the tensors that hold floats, as float32 of its stored shape.

        Raises
        ------
        AtlasError
            If it is missing or holds no floats.
        """
        found = self.stored(suffix)
        if not found.is_floating_point():
            raise AtlasError(
                f"{self.name}.{suffix}: found {found.dtype}; allowed is a floating-point type; "
                "fetch the file again"
            )
        return found.float()

    def group_of_columns(self, suffix: str, count: int) -> "Tensor":
        """Group of each input channel, int64: as a tensor says it, or else equally long ones.

        Parameters
        ----------
        suffix
            Of the tensor, which a checkpoint has where groups are no stretches.
        count
            Number of groups that there are scales of.

        Raises
        ------
        AtlasError
            If the tensor has another shape or names a group beyond these, or so many groups do
            not divide the input channels.
        """
        columns = self.shape[1]
        if suffix in self.tensors:
            group = self.tensor(suffix, self.tensors[suffix].dtype, (columns,)).long()
            if columns and not 0 <= int(group.min()) <= int(group.max()) < count:
                raise AtlasError(
                    f"{self.name}.{suffix}: names groups {int(group.min())} to {int(group.max())}; "
                    f"allowed are 0 to {count - 1}, of which there are scales; fetch the file again"
                )
            return group
        if not count or columns % count:
            raise AtlasError(
                f"{self.name}: {count} groups of scales do not divide {columns} input channels; "
                "name the base that the checkpoint was made from, or fetch the file again"
            )
        return torch.arange(columns) // (columns // count)

    def stored(self, suffix: str) -> "Tensor":
        """One of the tensors, whatever its type and shape.

        Raises
        ------
        AtlasError
            If it is missing.
        """
        if suffix not in self.tensors:
            raise AtlasError(
                f"{self.name}.{suffix}: missing; stored are {', '.join(sorted(self.tensors))}; "
                "fetch the checkpoint again"
            )
        return self.tensors[suffix]


@dataclass(frozen=True)
class Format:
    """How one kind of checkpoint stores quantized layers.

    Attributes
    ----------
    name
        Of the format; tables have "checkpoint_" before it.
    marks
        A layer with a tensor of one of these suffixes is quantized.
    parts
        Suffixes of all tensors of a layer, and the array of an ``Encoded`` that each becomes, whose
        name says what its bits are charged to.
    moves_scales
        Whether its tools may multiply the columns of a layer and divide the norm or layer before
        it by the same, so that neither is the base's any more though the model computes the same.
    bits
        Bits that the checkpoint says a weight takes; raises AtlasError, which names the key, for a
        variant that is not read. Arguments: the section and its file, for messages.
    read
        The weight, float32, shape (output channels, input channels).
    """

    name: str
    marks: tuple[str, ...]
    parts: Mapping[str, str]
    moves_scales: bool
    bits: Callable[[Described, str], int]
    read: Callable[[StoredLayer], "Tensor"]


def require_one_of(described: Described, key: str, allowed: Collection[Any], where: str) -> None:
    """Refuse a value of quantization_config that no reader knows.

    Raises
    ------
    AtlasError
        If the key is missing, or its value is none of the allowed ones.
    """
    found = described.get(key)
    # 4.0 and True equal whole numbers, and are none.
    if not any(type(found) is type(one) and found == one for one in allowed):
        raise AtlasError(
            f"{where}: quantization_config.{key} is {shown(found)}; allowed: "
            f"{', '.join(map(repr, allowed))}"
        )


def require_empty(described: Described, key: str, where: str) -> None:
    """Refuse a key that changes what the stored tensors mean in a way that no reader knows.

    Raises
    ------
    AtlasError
        If it holds anything.
    """
    if described.get(key):
        raise AtlasError(
            f"{where}: quantization_config.{key} is {shown(described[key])}, which is not read; "
            "allowed is a checkpoint without it"
        )
