"""The chapter's tables, made of small tables of products and of made-up operands."""

from itertools import chain

import numpy as np
import pandas as pd
import pytest

from qatlas.config.lut import Lut
from qatlas.lut.all_tables import all_tables
from qatlas.lut.error_report import cell_rows, error_rows, rank_row
from qatlas.lut.map_files import make_map
from qatlas.lut.map_names import map_names
from qatlas.lut.operand_counts import LARGEST, LayerOperands

SETTINGS = Lut(sizes=(4, 16, 32, 64, 256))


def bell(deviation):
    """Counts of a normal distribution, its largest share 1."""
    shares = np.arange(-LARGEST, LARGEST + 1) / LARGEST
    return np.rint(1e6 * np.exp(-np.square(shares / deviation) / 2)).astype(np.int64)


@pytest.fixture(scope="session")
def named(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    names = map_names(SETTINGS.encodings, SETTINGS.sizes, SETTINGS.range)
    maps = [make_map(name, folder) for name in names]
    mine = folder / "mine.npy"
    np.save(mine, np.zeros((40, 40)))
    return list(all_tables(maps, SETTINGS.multipliers, {"mine": str(mine)}, SETTINGS.range))


@pytest.fixture(scope="session")
def tables(named):
    models = {"llama": [LayerOperands("w", 1, bell(0.1), bell(0.2))]}
    return {
        "map_errors": pd.DataFrame(chain.from_iterable(error_rows(t, models) for t in named)),
        "map_ranks": pd.DataFrame([rank_row(table) for table in named]),
        "map_cells": pd.DataFrame(chain.from_iterable(map(cell_rows, named))),
    }
