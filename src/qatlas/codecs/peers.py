"""Outside quantizers: which package a codec runs, and whether it is there; imported when used.

A codec that runs a package of another project names it in the class variable ``package``, by which
it is both imported and installed. Such packages are optional: a sweep goes on without them.
"""

import importlib.metadata
import importlib.util
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from qatlas.codecs.base import Codec, CodecError
from qatlas.deferred import torch

INSTALL = "make peers"
"""The command that installs all outside quantizers, in the pinned versions."""


def package_of(codec: Codec) -> str | None:
    """Package of another project that a codec runs; None where it needs none."""
    return getattr(codec, "package", None)


def is_installed(package: str) -> bool:
    """Whether a package can be imported; it is not imported. A mere folder of that name is none."""
    found = importlib.util.find_spec(package)
    return found is not None and found.origin is not None


def missing_packages(codecs: Iterable[Codec]) -> tuple[str, ...]:
    """Packages that the codecs run and that are not installed, sorted."""
    return tuple(package for package, version in versions(codecs).items() if version is None)


def versions(codecs: Iterable[Codec]) -> dict[str, str | None]:
    """Version of every package that the codecs run, by its name; None where it is missing."""
    packages = sorted({package for codec in codecs if (package := package_of(codec))})
    return {
        package: importlib.metadata.version(package) if is_installed(package) else None
        for package in packages
    }


def peer(module: str, package: str) -> ModuleType:
    """Import a module of another project's package.

    Raises
    ------
    CodecError
        If the package is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise CodecError(
            f"the package {package!r} is not installed ({error}); install it: {INSTALL}"
        ) from error


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for PyTorch, on whose number the sums of a package may depend."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
