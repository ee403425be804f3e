"""Outside quantizers, imported when they are used."""

from importlib import import_module
from types import ModuleType

from qatlas.codecs.base import CodecError


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
            f"the package {package!r} is not installed ({error}); pip install {package}"
        ) from error
