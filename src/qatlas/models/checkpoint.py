"""What it takes to go on with a training that was interrupted."""

import logging
import pickle
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from qatlas.atomic import replacing

if TYPE_CHECKING:
    from qatlas.models.train import Training

_logger = logging.getLogger(__name__)

Rows = list[dict[str, Any]]


def key_of(model: Any, texts: dict[str, str], training: "Training") -> str:
    """Hash of all that a training depends on: weights to begin with, texts, how it is done."""
    digest = sha256(repr((sorted(texts.items()), sorted(asdict(training).items()))).encode())
    for name, weight in model.state_dict().items():
        digest.update(name.encode())
        digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def write_checkpoint(path: Path, key: str, model: Any, optimizer: Any, rows: Rows) -> None:
    """Write a training's state, whole or not at all."""
    state = {
        "key": key,
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "rows": rows,
    }
    with replacing(path) as unfinished:
        torch.save(state, unfinished)


def take_up(path: Path, key: str, model: Any, optimizer: Any, device: str) -> Rows:
    """Bring model and optimizer to where a training was, and give its rows.

    Without a checkpoint of this training nothing is changed and there are no rows; a warning says
    so where there is one that cannot be used.
    """
    if not path.is_file():
        return []
    try:
        state = torch.load(path, map_location=device, weights_only=True)
        found = state["key"]
    except (OSError, RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        _logger.warning("%s is damaged (%s): the training begins anew", path, error)
        return []
    if found != key:
        _logger.warning("%s is of another training: this one begins anew", path)
        return []
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    rows: Rows = state["rows"]
    _logger.info("going on from step %d", rows[-1]["step"])
    return rows
