"""Where weights come from besides the hub and folders: an installed package, or a distribution."""

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
