"""The codec inside another: a section of its parameters, with its name as ``codec``."""

from collections.abc import Mapping
from typing import Any

from qatlas.codecs.base import Codec
from qatlas.codecs.registry import create, names


def create_inner(section: Mapping[str, Any]) -> Codec:
    """Make the codec that a section "inner" describes.

    Raises
    ------
    ValueError
        If the section names no codec, or that codec refuses its parameters.
    """
    parameters = dict(section)
    name = parameters.pop("codec", None)
    if not isinstance(name, str):
        raise ValueError(f"inner.codec should be one of {', '.join(names())}; found {name!r}")
    return create(name, **parameters)
