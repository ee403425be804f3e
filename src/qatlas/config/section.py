"""What all parts of the configuration are made of."""

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*(\.[a-z0-9_-]+)*$")]
"""Names become parts of paths and of dotted names, so they are plain."""


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
