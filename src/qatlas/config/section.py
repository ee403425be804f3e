"""What all parts of the configuration are made of."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$", max_length=80)]
"""Names become parts of paths and of dotted names, so they are plain, and no file's is too long."""
PlainPath = Annotated[str, Field(pattern=r"^[^{}]+$")]
"""Path of a file that rules read; what stands in braces they would take for a wildcard."""
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""What random numbers derive from."""
Tokens = Annotated[int, Field(ge=2, le=10**9)]
"""A stretch of text."""
Batch = Annotated[int, Field(ge=1, le=65_536)]
"""What a model is given at a time."""


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def only_key_of(kinds: Collection[str], given: Any) -> str | None:
    """The one key that tells which kind of section is meant; None if there is none, or several.

    Parameters
    ----------
    kinds
        Keys that only one kind has.
    given
        The section as it was written, or already checked.
    """
    keys = given if isinstance(given, Mapping) else getattr(type(given), "model_fields", ())
    found = [kind for kind in kinds if kind in keys]
    return found[0] if len(found) == 1 else None
