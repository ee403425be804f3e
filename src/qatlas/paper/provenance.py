"""Where results came from: enough to build them again."""

import json
import os
import platform
from collections.abc import Mapping
from hashlib import file_digest, sha256
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from qatlas.atomic import replacing
from qatlas.deferred import torch


def provenance(
    study: Mapping[str, Any],
    commit: Mapping[str, Any],
    snapshots: Mapping[str, str | Path],
    text: str | Path | None,
    lock: str | Path,
) -> dict[str, Any]:
    """What a study was made from, and on.

    Parameters
    ----------
    study
        The merged configuration, as JSON values.
    commit
        Commit of the checkout and whether files differ from it.
    snapshots
        Folder of each checkpoint that was read, by a name.
    text
        Manifest of the text that language models read; None where there is none.
    lock
        The lock file of the Python packages.
    """
    parts = {} if text is None else json.loads(Path(text).read_text())["parts"]
    canonical = json.dumps(study, sort_keys=True)
    return {
        **commit,
        "config": study,
        "config_sha256": sha256(canonical.encode()).hexdigest(),
        "lock_sha256": _sha256(Path(lock)),
        "python": platform.python_version(),
        "packages": dict(sorted((d.metadata["Name"], d.version) for d in distributions())),
        "machine": _machine(),
        "checkpoints": {
            model: {path.name: _sha256(path) for path in sorted(Path(folder).glob("*.safetensors"))}
            for model, folder in snapshots.items()
        },
        "text": {part: described["sha256"] for part, described in parts.items()},
    }


def write_provenance(record: Mapping[str, Any], path: str | Path) -> None:
    """Write the record as JSON with sorted keys; those of the configuration stay in their order.

    Rows of tables are in the order of the configuration: without it they would come out otherwise.
    """
    with replacing(path) as unfinished:
        unfinished.write_text(json.dumps(dict(sorted(record.items())), indent=2) + "\n")


def _machine() -> dict[str, Any]:
    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "gpus": gpus,
    }


def _processor() -> str:
    """The processor's name; Linux tells more than ``platform`` does."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
