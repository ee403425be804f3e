"""The chapter's tables of the default study, with fewer draws, and made-up ones of layers."""

from pathlib import Path

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.geometry.correction.measure import measure as correction_tables
from qatlas.geometry.experiments.tables import region_tables
from qatlas.geometry.manifolds.tables import manifold_tables
from qatlas.geometry.schema import TABLES
from qatlas.tables import read_table, write_table
from tests.geometry.layer_rows import layer_rows

GIVEN = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
STUDY = load(GIVEN)
SETTINGS = STUDY.geometry.model_copy(update={"draws": 500})


def measure(settings, folder):
    """Every table of the chapter, those of layers made up, written and read again."""
    rows = {
        **region_tables(settings, STUDY.seed),
        **manifold_tables(settings, STUDY.seed),
        **correction_tables(settings.correction, STUDY.seed),
        **layer_rows(settings.layers),
    }
    for kind in TABLES:
        write_table(rows[kind.name], kind, folder / kind.name)
    return {kind.name: read_table(kind, folder / kind.name) for kind in TABLES}


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    return measure(SETTINGS, tmp_path_factory.mktemp("geometry-tables"))
