"""A model of transformers from a folder that somebody else made: all of its weights, or none."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qatlas.deferred import torch
from qatlas.errors import AtlasError, said
from qatlas.weights.model_config import bounded_building, read_model_config
from qatlas.weights.snapshot import open_snapshot


def load_whole(kind: Any, folder: str | Path, called: str, optional: str = "") -> Any:
    """The model of a folder, as stored, in evaluation mode on the CPU.

    Neither code of the folder nor a pickle is read, and nothing is fetched.

    Parameters
    ----------
    kind
        A class of transformers such as ``AutoModelForCausalLM``.
    folder
        Of config.json and safetensors files.
    called
        What messages call such a model.
    optional
        Parameters with this in their name may be missing from the files, since nothing reads them.

    Raises
    ------
    AtlasError
        If the folder holds no such model, one that is quantized already, or one with weights that
        the files lack, or that are NaN or Inf.
    """
    where = str(folder)
    if "quantization_config" in read_model_config(folder, where):
        raise AtlasError(
            f"{where}: config.json has quantization_config; allowed is a model that is not "
            "quantized; one that is goes under function.checkpoints"
        )
    stored = sum(tensor.weights for tensor in open_snapshot(folder, where).tensors.values())
    try:
        with bounded_building(where):
            _require_stored(_described(kind, folder, optional), stored, where)
            model, loading = kind.from_pretrained(
                folder,
                dtype="auto",
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                output_loading_info=True,
            )
    except (AtlasError, MemoryError):
        raise
    except Exception as error:  # What code for a hundred architectures raises is of any class.
        raise AtlasError(
            f"{where}: not {called} that can be loaded ({type(error).__name__}: {said(error)}); it "
            "needs config.json of such a model and its *.safetensors"
        ) from error
    _require_loaded(_needed(loading["missing_keys"], optional), where)
    _require_finite(model, where)
    return model.eval()


def _described(kind: Any, folder: str | Path, optional: str) -> int:
    """Weights of the model that config.json describes, tied ones once; nothing is allocated."""
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with torch.device("meta"):
        parameters = dict(kind.from_config(config, trust_remote_code=False).named_parameters())
    return sum(parameters[name].numel() for name in _needed(parameters, optional))


def _needed(names: Iterable[str], optional: str) -> list[str]:
    return sorted(name for name in names if not optional or optional not in name)


def _require_stored(described: int, stored: int, where: str) -> None:
    if described > stored:
        raise AtlasError(
            f"{where}: config.json describes a model of {described} weights, and its files hold "
            f"{stored}; fetch the folder again, from one revision"
        )


def _require_loaded(missing: list[str], where: str) -> None:
    if missing:
        raise AtlasError(
            f"{where}: its files lack {', '.join(missing[:5])} ({len(missing)} tensors in all), "
            "which random numbers would stand for; fetch the folder again"
        )


def _require_finite(model: Any, where: str) -> None:
    for name, parameter in model.named_parameters():
        extremes = torch.stack(torch.aminmax(parameter.detach()))
        if not bool(torch.isfinite(extremes).all()):
            raise AtlasError(
                f"{where}: {name} holds NaN or Inf; fetch the folder again, or use another model"
            )
