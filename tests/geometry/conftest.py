"""The chapter's tables of the default study, with fewer draws."""

from pathlib import Path

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.geometry.experiments.tables import region_tables
from qatlas.geometry.manifolds.tables import manifold_tables
from qatlas.geometry.schema import MANIFOLD_TABLES, REGION_TABLES
from qatlas.tables import read_table, write_table

GIVEN = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
STUDY = load(GIVEN)
SETTINGS = STUDY.geometry.model_copy(update={"draws": 500})


def measure(settings, folder):
    """Every table of the chapter, written and read again."""
    rows = region_tables(settings, STUDY.seed) | manifold_tables(settings, STUDY.seed)
    for kind in (*REGION_TABLES, *MANIFOLD_TABLES):
        write_table(rows[kind.name], kind, folder / kind.name)
    return {
        kind.name: read_table(kind, folder / kind.name)
        for kind in (*REGION_TABLES, *MANIFOLD_TABLES)
    }


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    return measure(SETTINGS, tmp_path_factory.mktemp("geometry-tables"))
