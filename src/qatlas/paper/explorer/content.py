"""What the page is told: sets of rows, how to choose among them, and the views of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

Axis = Literal["linear", "log"]


@dataclass(frozen=True)
class Facet:
    """Something to choose one value of.

    Attributes
    ----------
    column
        Column of the scopes; an empty text there stands for all values together.
    label
        What the choice is called.
    all_label
        What all values together are called; empty where one must be chosen.
    first
        Value that is chosen unasked; where it is empty or does not occur, the first that does.
    """

    column: str
    label: str
    all_label: str = ""
    first: str = ""


@dataclass(frozen=True)
class Field:
    """A column as the page shows it: in tables, beside a point, in the file to download.

    Attributes
    ----------
    column, label
        Its name and what it is called.
    tip
        What it is called beside the pointer; what has no such name does not stand there.
    """

    column: str
    label: str
    tip: str = ""


@dataclass(frozen=True)
class Quantity:
    """What may be drawn upright.

    Attributes
    ----------
    column
        Column of the rows; those with "_low" and "_high" behind the name are its interval.
    label
        Title of the axis.
    axis
        Whether the axis is logarithmic.
    level
        Name of a bound that lies at zero; empty where none does.
    ceiling
        Highest value that is drawn unasked, where there is one.
    ceiling_over_level
        The same as a multiple of the first level of a scope.
    """

    column: str
    label: str
    axis: Axis = "linear"
    level: str = ""
    ceiling: float | None = None
    ceiling_over_level: float | None = None


@dataclass(frozen=True)
class Family:
    """Codecs that share a colour: its name, how it is called and its colour on white."""

    name: str
    label: str
    colour: str


@dataclass(frozen=True)
class Limit:
    """A limit: its name in the table of limits, how it is called, its dashes in points."""

    name: str
    label: str
    dashes: tuple[float, ...]


@dataclass(frozen=True)
class Dataset:
    """Rows of one kind, in blocks that a choice of every facet leads to.

    Attributes
    ----------
    facets
        What to choose, in this order.
    scopes
        One row a choice: the columns of the facets (text); first_row, rows, first_limit, limits
        (which rows of the two tables); tensors (how many were averaged); finest (whether the rows
        are measurements and not averages).
    rows
        Columns family, series, at (tells the points of a series), best (drawn in full colour
        unasked), job (its place among the jobs, missing for averages) and those of ``fields``.
    limits
        Columns quantity, limit, x and y; a limit without an x is a level.
    fields
        Columns of the table, in order.
    families
        In the order of the legend.
    drawn_limits
        Limits by name.
    jobs
        Files of the jobs that made the rows, relative to results/ and without suffix.
    at_label
        What ``at`` is, such as "nominal bits".
    families_label, series_label
        What families are called, and what one series is.
    """

    facets: Sequence[Facet]
    scopes: pd.DataFrame
    rows: pd.DataFrame
    limits: pd.DataFrame
    fields: Sequence[Field]
    families: Sequence[Family]
    drawn_limits: Sequence[Limit]
    jobs: Sequence[str]
    at_label: str
    families_label: str = "Families"
    series_label: str = "grid"


@dataclass(frozen=True)
class View:
    """One way to look at a set of rows.

    Attributes
    ----------
    name
        Its name in addresses.
    title
        What it is called.
    note
        What it shows, in a sentence or two.
    dataset
        Name of the set of rows.
    x, x_label, x_axis
        Column along the lower axis, the title of that axis and whether it is logarithmic.
    quantities
        What may be drawn upright, the first unasked.
    longest_step
        Points of a line further apart along x are not joined; all are where it is missing.
    """

    name: str
    title: str
    note: str
    dataset: str
    x: str
    x_label: str
    quantities: Sequence[Quantity]
    x_axis: Axis = "linear"
    longest_step: float | None = None
