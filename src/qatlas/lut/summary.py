"""What the chapter found, as named values and claims."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from qatlas.config.lut import Lut
from qatlas.lut.findings.found import Found
from qatlas.lut.findings.maps import find_maps
from qatlas.lut.findings.models import find_models
from qatlas.lut.findings.simulations import find_simulations
from qatlas.lut.schema import MAP_ERRORS, MAP_RANKS, TABLE_MODELS
from qatlas.lut.simulation.schema import GROWTH, SIMULATIONS
from qatlas.summary import Summary
from qatlas.tables import Table


@dataclass(frozen=True)
class Topic:
    """One part of the summary.

    Attributes
    ----------
    section
        The configuration's part of the chapter that it needs; None if it is there always.
    kinds
        Tables that it reads.
    find
        Those tables, by name, and the configuration to values and claims.
    """

    section: str | None
    kinds: tuple[Table, ...]
    find: Callable[[Mapping[str, pd.DataFrame], Lut], Found]


TOPICS = (
    Topic(None, (MAP_ERRORS, MAP_RANKS), find_maps),
    Topic("language_models", (TABLE_MODELS,), find_models),
    Topic("simulations", (SIMULATIONS, GROWTH), find_simulations),
)


def topics_of(settings: Lut) -> list[Topic]:
    """Topics of a study."""
    return [t for t in TOPICS if t.section is None or getattr(settings, t.section) is not None]


def kinds_of(settings: Lut) -> list[Table]:
    """Tables that the summary of a study reads, each once."""
    kinds = {kind.name: kind for topic in topics_of(settings) for kind in topic.kinds}
    return list(kinds.values())


def summarize(tables: Mapping[str, pd.DataFrame], settings: Lut) -> Summary:
    """Values and claims of all topics.

    Parameters
    ----------
    tables
        Those of ``kinds_of``, by name.
    settings
        The chapter's part of the configuration.
    """
    found = [topic.find(tables, settings) for topic in topics_of(settings)]
    return Summary(
        chapter="lut",
        values={name: value for part in found for name, value in part.values.items()},
        claims={name: said for part in found for name, said in part.claims.items()},
    )
