import numpy as np
import pytest

from qatlas.lut.error_report import NamedTable, cell_rows, error_rows
from qatlas.lut.product_table import encoded_table
from qatlas.lut.schema import MAP_CELLS, MAP_ERRORS, MAP_RANKS, MOST_CELLS
from qatlas.tables import read_table, write_table
from tests.lut.conftest import SETTINGS


@pytest.mark.parametrize("kind", [MAP_ERRORS, MAP_RANKS, MAP_CELLS], ids=lambda kind: kind.name)
def test_rows_are_those_of_the_published_table(tables, kind, tmp_path):
    path = tmp_path / "table.parquet"
    write_table(tables[kind.name], kind, path)
    assert len(read_table(kind, path)) == len(tables[kind.name])


def test_every_table_is_measured_for_every_distribution_on_all_pairs_and_in_range(tables):
    errors = tables["map_errors"]
    count = len(SETTINGS.sizes) * len(SETTINGS.encodings) + len(SETTINGS.multipliers) + 1
    assert len(errors) == 4 * count
    assert len(tables["map_ranks"]) == count
    assert not errors.duplicated(["table", "size", "operands", "pairs"]).any()


def test_without_a_model_operands_are_uniform_alone():
    named = NamedTable("signed_ext", "encoding", encoded_table("signed_ext", 8, 2.0))
    assert {row["operands"] for row in error_rows(named, {})} == {"uniform"}


def test_the_saturated_share_is_that_of_products_beyond_the_range():
    named = NamedTable("signed_ext", "encoding", encoded_table("signed_ext", 5, 2.0))
    # Of levels -2, -1, 0, 1, 2 only 2 and -2 among themselves have a product above 2.
    shares = [row["saturated_share"] for row in error_rows(named, {})]
    assert shares == pytest.approx([4 / 25] * 2)


def test_small_tables_are_shown_whole():
    table = encoded_table("signed_log", 8, 2.0)
    rows = list(cell_rows(NamedTable("signed_log", "encoding", table)))
    grid = np.array([row["product"] for row in rows]).reshape(8, 8)
    assert (grid == table.products).all()
    assert [row["absolute_error"] for row in rows] == list(np.abs(table.errors).ravel())


@pytest.mark.parametrize("size", [33, 50, 64, 100])
def test_cells_of_large_tables_cover_every_product_once(size):
    table = encoded_table("unsigned", size, 2.0)
    rows = list(cell_rows(NamedTable("unsigned", "encoding", table)))
    assert len(rows) == MOST_CELLS**2
    starts = np.arange(MOST_CELLS) * size // MOST_CELLS
    lengths = np.diff(starts, append=size)
    assert set(lengths) <= {size // MOST_CELLS, size // MOST_CELLS + 1}
    weights = np.multiply.outer(lengths, lengths).ravel()
    total = (weights * [row["product"] for row in rows]).sum()
    assert total == pytest.approx(table.products.sum())


def test_a_cell_whose_products_are_all_zero_has_no_relative_error():
    table = encoded_table("unsigned", 4, 1.0)
    rows = list(cell_rows(NamedTable("unsigned", "encoding", table)))
    assert rows[0]["relative_error"] is None
    assert rows[-1]["relative_error"] == 0
