"""The chapter's figures: one module each, by name, with the tables it reads.

A module has ``select`` (tables and settings to what is drawn), ``draw`` (that to a figure) and
``caption`` (the chapter's summary and settings to a sentence or two).
"""

from qatlas.config.lut import Lut
from qatlas.lut.schema import MAP_CELLS, MAP_ERRORS, TABLE_MODELS
from qatlas.lut.simulation.schema import GROWTH, SIMULATIONS, TRAJECTORIES
from qatlas.tables import Table

FIGURES: dict[str, tuple[Table, ...]] = {
    "maps": (MAP_CELLS,),
    "error_maps": (MAP_CELLS,),
    "multiplier_errors": (MAP_CELLS,),
    "errors_vs_size": (MAP_ERRORS,),
    "simulation_errors": (SIMULATIONS,),
    "error_growth": (TRAJECTORIES,),
    "lookup_methods": (GROWTH,),
    "small_ranges": (SIMULATIONS,),
    "perplexity_vs_table": (TABLE_MODELS,),
    "table_error_split": (TABLE_MODELS,),
}
NEEDS: dict[str, str] = {
    "simulation_errors": "simulations",
    "error_growth": "simulations",
    "lookup_methods": "simulations",
    "small_ranges": "simulations",
    "perplexity_vs_table": "language_models",
    "table_error_split": "language_models",
}
"""The configuration's part of the chapter that a figure needs, where there is one."""


def figures_of(settings: Lut) -> dict[str, tuple[str, ...]]:
    """Figures of a study, and the names of the tables they read."""
    return {
        name: tuple(kind.name for kind in kinds)
        for name, kinds in FIGURES.items()
        if name not in NEEDS or getattr(settings, NEEDS[name]) is not None
    }
