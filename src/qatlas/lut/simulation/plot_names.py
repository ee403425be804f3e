"""Where the plot of a variant lies, which says what it shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from qatlas.config.lut import Lut
from qatlas.errors import AtlasError, nearest

PLOTS = "results/lut/figures"
_PATH = re.compile(r"(?:(\d+)_steps/)?(\d+)bit/(chain|dot)_plot_(\w+)_(\d+)_([a-z]+)\.pdf$")


@dataclass(frozen=True)
class PlotName:
    """What the plot of a variant shows.

    Attributes
    ----------
    operation
        chain or dot.
    encoding, size, method
        Of the variant.
    steps
        How many are shown, if not all.
    """

    operation: str
    encoding: str
    size: int
    method: str
    steps: int | None = None

    @property
    def path(self) -> str:
        """Place of the PDF."""
        folder = PLOTS if self.steps is None else f"{PLOTS}/{self.steps}_steps"
        bits = (self.size - 1).bit_length()
        name = f"{self.operation}_plot_{self.encoding}_{self.size}_{self.method}"
        return f"{folder}/{bits}bit/{name}.pdf"


def drawn_plots(settings: Lut, steps: int | None = None) -> list[PlotName]:
    """Plots of the study that are drawn without being asked for by name."""
    section = settings.simulations
    if section is None or section.drawn is None:
        return []
    drawn = section.drawn
    return [
        PlotName(*variant, steps)
        for variant in product(section.operations, drawn.encodings, drawn.sizes, drawn.methods)
    ]


def parse_plot_name(path: str, settings: Lut) -> PlotName:
    """What the plot at a path shows.

    Raises
    ------
    AtlasError
        If no plot lies there, or its variant is not simulated; the message says which are.
    """
    found = _PATH.search(path)
    if not found:
        known = PlotName("chain", "signed_ext", 16, "nearest").path
        raise AtlasError(f"{path}: not the name of a plot of a simulation; one is {known}")
    steps, _, operation, encoding, size, method = found.groups()
    name = PlotName(operation, encoding, int(size), method, int(steps) if steps else None)
    section = settings.simulations
    if section is None:
        raise AtlasError(f"{path}: the study has no section lut.simulations; add it")
    choices: tuple[tuple[str, str, Sequence[object]], ...] = (
        ("lut.simulations.operations", operation, section.operations),
        ("lut.simulations.encodings", encoding, settings.simulated_encodings),
        ("lut.simulations.sizes", size, settings.simulated_sizes),
        ("lut.simulations.methods", method, section.methods),
        ("lut.simulations.batch", steps or "", section.batch if steps else ("",)),
    )
    for key, given, allowed in choices:
        names = list(map(str, allowed))
        if given not in names:
            raise AtlasError(f"{path}: {given!r} is not in {key}; {nearest(given, names)}")
    if not path.endswith(name.path):
        raise AtlasError(f"{path}: this plot goes by the name {name.path}")
    return name
