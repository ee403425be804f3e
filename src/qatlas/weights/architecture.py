"""What each parameter of a model is, read from the model's own classes.

The class is built on PyTorch's meta device, where tensors have shapes and no values, so this
costs no memory, whatever the model's size. Code that comes with a model is never run.
"""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qatlas.deferred import torch
from qatlas.errors import AtlasError, said
from qatlas.weights.model_config import CONFIG, bounded_building, read_model_config
from qatlas.weights.roles import Role, block_of, layer_kind, role_from_name

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Architecture:
    """Roles of a model's parameters and buffers.

    Attributes
    ----------
    roles
        By name, as in the model's state dict; empty if the architecture is not known.
    base_model_prefix
        What stands before the names of the base model's parameters ("model", "transformer",
        "bert") in a model with a head; a checkpoint may have it or not.
    """

    roles: Mapping[str, Role]
    base_model_prefix: str

    def parameter(self, tensor: str) -> str | None:
        """Name that the model gives to a checkpoint's tensor; None if it has none such."""
        prefix = f"{self.base_model_prefix}."
        candidates = (tensor, prefix + tensor, tensor.removeprefix(prefix))
        return next((name for name in candidates if name in self.roles), None)

    def role(self, tensor: str, shape: tuple[int, ...]) -> tuple[Role, str]:
        """Role of a checkpoint's tensor, and where it is known from.

        Returns
        -------
        tuple
            The role, and "architecture" or, for a tensor that the model does not have, "names".
        """
        parameter = self.parameter(tensor)
        if parameter is None:
            return role_from_name(tensor, shape), "names"
        return self.roles[parameter], "architecture"


def twins(roles: Mapping[str, Role], parameters: Mapping[str, str]) -> dict[str, str]:
    """Tensors of a checkpoint that the architecture ties to another of its tensors.

    Parameters
    ----------
    roles
        Of every tensor of the checkpoint, by its name there.
    parameters
        The names that the model gives to them.

    Returns
    -------
    dict
        The other tensor, by the name of the one that is tied to it.
    """
    first: dict[str, str] = {}
    tied: dict[str, str] = {}
    for name in sorted(roles, key=lambda name: roles[name].tied_to is not None):
        twin = first.setdefault(roles[name].tied_to or parameters[name], name)
        if twin != name:
            tied[name] = twin
    return tied


@dataclass(frozen=True)
class _Place:
    """A module, and where in the model it stands."""

    name: str
    attribute: str
    module: "Module"
    layer: int | None
    block: str


def architecture(folder: str | Path, model: str) -> Architecture:
    """Read the architecture that a folder's config.json names.

    Without config.json, or if transformers does not know the architecture, the roles are empty
    and a warning says that names and shapes are all there is to go by.

    Raises
    ------
    AtlasError
        If config.json is damaged or describes a model that cannot be built.
    """
    path = Path(folder) / CONFIG
    if not path.is_file():
        return _unknown(model, f"there is no {path}")
    where = f"model {model}"
    described = read_model_config(folder, where)
    from transformers import CONFIG_MAPPING

    if described.get("model_type") not in CONFIG_MAPPING:
        return _unknown(
            model, f"transformers has no model_type {described.get('model_type')!r} ({path})"
        )
    try:
        with bounded_building(where):
            built = _build(Path(folder))
    except AtlasError:
        raise
    except Exception as error:
        raise AtlasError(
            f"model {model}: transformers cannot build what {path} describes "
            f"({type(error).__name__}: {said(error)}); fetch the file again or mend it"
        ) from error
    return Architecture(dict(_roles(built)), str(built.base_model_prefix))


def _unknown(model: str, reason: str) -> Architecture:
    _logger.warning(
        "model %s: %s, so kinds and layers are guessed from the tensors' names and shapes, and "
        "matrices are taken to be (output, input) channels",
        model,
        reason,
    )
    return Architecture({}, "")


def _build(folder: Path) -> Any:
    import transformers

    config = transformers.AutoConfig.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True
    )
    named = getattr(transformers, (config.architectures or [""])[0], None)
    with torch.device("meta"):
        if isinstance(named, type) and issubclass(named, transformers.PreTrainedModel):
            return named(config)
        base: Any = transformers.AutoModel
        return base.from_config(config, trust_remote_code=False)


def _roles(model: Any) -> Iterator[tuple[str, Role]]:
    head = model.get_output_embeddings()
    tied = model.all_tied_weights_keys
    for place in _places(model, "", "", None, ""):
        for name, parameter in place.module.named_parameters(place.name, recurse=False):
            attribute = name.rpartition(".")[2]
            kind = _kind(place, attribute, parameter, head)
            transposed = parameter.ndim > 1 and _is_transposed(place.module)
            yield name, Role(kind, place.layer, transposed, tied.get(name))
        for name, _ in place.module.named_buffers(place.name, recurse=False):
            yield name, Role("other", place.layer)


def _places(
    module: "Module", name: str, attribute: str, layer: int | None, block: str
) -> Iterator[_Place]:
    block = block_of(type(module).__name__, block)
    yield _Place(name, attribute, module, layer, block)
    for child, submodule in module.named_children():
        in_stack = layer is None and isinstance(module, torch.nn.ModuleList)
        yield from _places(
            submodule,
            f"{name}.{child}" if name else child,
            child,
            int(child) if in_stack else layer,
            block,
        )


def _kind(place: _Place, attribute: str, parameter: "Tensor", head: "Module | None") -> str:
    if parameter.ndim < 2:
        return "vector"
    if place.module is head:
        return "head"
    if isinstance(place.module, torch.nn.Embedding):
        return "embedding"
    if isinstance(place.module, torch.nn.modules.conv._ConvNd):
        return "convolution"
    if attribute != "weight":
        return layer_kind(place.block, attribute) or "other"
    return layer_kind(place.block, place.attribute) or (
        "linear" if _is_linear(place.module) else "other"
    )


def _is_linear(module: "Module") -> bool:
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, torch.nn.Linear | Conv1D)


def _is_transposed(module: "Module") -> bool:
    """Whether (input, output) is the order of channels.

    Conv1D, GPT-2's linear layer, is; transposed convolutions and stacks of experts say so.
    """
    from transformers.pytorch_utils import Conv1D

    said = getattr(module, "transposed", False) or getattr(module, "is_transposed", False)
    return isinstance(module, Conv1D) or bool(said)
