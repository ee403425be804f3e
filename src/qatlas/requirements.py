"""What a codec asks of the matrices it is given, in numbers that can be checked beforehand."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from qatlas.errors import AtlasError


@dataclass(frozen=True)
class Requirements:
    """What a codec needs besides a finite matrix; the defaults ask for nothing.

    Attributes
    ----------
    columns
        Weights that a row (an output channel) has at least.
    multiple_of
        Number that divides the weights of a row.
    second_moment
        Whether it needs H = E[x x^T] of the layer's input.
    parameter
        The parameter that asks for it, as the configuration has it: "granularity", or
        "inner.granularity" inside another codec.
    remedy
        What to take instead; "{columns}" stands for the weights of the shortest row.
    """

    columns: int = 1
    multiple_of: int = 1
    second_moment: bool = False
    parameter: str = "codec"
    remedy: str = "take another codec"

    @property
    def any_row_will_do(self) -> bool:
        """Whether rows of every length are taken."""
        return self.columns <= 1 and self.multiple_of == 1

    def take_row_of(self, columns: int) -> bool:
        """Whether a row of so many weights is taken."""
        return columns >= self.columns and columns % self.multiple_of == 0


@dataclass(frozen=True)
class Row:
    """Length of the rows of a matrix that a study quantizes."""

    model: str
    tensor: str
    columns: int


def refusals(needs: Iterable[tuple[str, Requirements]], rows: Collection[Row]) -> list[str]:
    """A sentence for each key of the configuration whose codec does not take all the matrices.

    Parameters
    ----------
    needs
        Keys of the configuration, and what they ask for.
    rows
        Those of the matrices that are to be quantized.
    """
    return [
        _sentence(key, need, sorted(refused, key=lambda row: (row.columns, row.model, row.tensor)))
        for key, need in needs
        if (refused := [row for row in rows if not need.take_row_of(row.columns)])
    ]


def require_suitable_rows(needs: Iterable[tuple[str, Requirements]], rows: Collection[Row]) -> None:
    """Refuse codecs that do not take all the matrices.

    Raises
    ------
    AtlasError
        A line for every problem, with the key, the matrix with the shortest row that is not
        taken, and what would be.
    """
    if problems := refusals(needs, rows):
        lines = "\n".join(f"  {problem}" for problem in problems)
        raise AtlasError(f"not every codec takes the matrices of every model:\n{lines}")


def _sentence(key: str, need: Requirements, refused: list[Row]) -> str:
    wanted = f"at least {need.columns}" if need.columns > 1 else f"a multiple of {need.multiple_of}"
    shortest = refused[0]
    return (
        f"{key}: a row should have {wanted} weights; those of tensor {shortest.tensor!r} of "
        f"models.{shortest.model} have {shortest.columns} (matrices refused: {len(refused)}); "
        f"{need.remedy.format(columns=shortest.columns)}, or leave such a matrix out of "
        f"models.{shortest.model}"
    )
