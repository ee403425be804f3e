"""What one topic adds to the chapter's summary."""

from dataclasses import dataclass

from qatlas.summary import Claim, Value


@dataclass(frozen=True)
class Found:
    """Values and claims by dotted names, which begin with the topic's own."""

    values: dict[str, Value]
    claims: dict[str, Claim]
