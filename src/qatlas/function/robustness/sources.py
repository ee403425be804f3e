"""Where the rows of the robustness graph come from."""

from collections.abc import Callable

import pandas as pd

from qatlas.config.robustness import Robustness
from qatlas.function.robustness.interchange import read_interchange
from qatlas.function.robustness.measured import measured
from qatlas.function.robustness.simulation import simulated


def rows_of(section: Robustness, evaluations: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Rows of the table ``robustness``: made up, read from a folder, or measured.

    Parameters
    ----------
    section
        Which of these.
    evaluations
        Reads the table of that name, where it is measured.

    Raises
    ------
    AtlasError
        If the folder or one of its files is not as it should be.
    """
    if section.simulate:
        return simulated()
    if section.results_dir is not None:
        return read_interchange(section.results_dir)
    return measured(evaluations(), section.lines, section.bit_widths)
