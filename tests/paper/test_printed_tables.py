import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from qatlas.config.loading import load
from qatlas.paper.tables import FILES, files_of, has
from qatlas.paper.tables.declared import TABLES, kinds_of, tables_of
from qatlas.paper.tables.printed import Number, PrintedTable, Text, render, write_rendered

ROOT = Path(__file__).parents[2]
STUDIES = sorted([ROOT / "config.yaml", *(ROOT / "config").glob("*.yaml")])


def study_of(path, *without):
    given = yaml.safe_load(path.read_text())
    return load({key: section for key, section in given.items() if key not in without})


def printed(rows, *columns):
    """Cells of a table with these rows."""
    table = PrintedTable(
        "made", "weights", "Of a test.", "text", (), (), lambda frames, _: frames["made"], columns
    )
    return render(table, {"made": pd.DataFrame(rows)}, study_of(ROOT / "config/smoke.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_rules_know_just_the_files_that_the_tables_of_a_study_read(path):
    study = study_of(path)
    assert set(files_of(study)) == set(kinds_of(study))


def test_every_file_is_named_by_its_kind_and_read_under_one_section():
    named = {file.rpartition("/")[2]: section for section, files in FILES.items() for file in files}
    assert len(named) == sum(map(len, FILES.values()))
    for table in TABLES:
        for kind in table.reads:
            assert named[kind.name] == table.section[: len(named[kind.name])]


def test_names_and_headings_say_what_they_are():
    assert len({table.name for table in TABLES}) == len(TABLES)
    for table in TABLES:
        assert table.caption.endswith(".")
        assert len({column.name for column in table.columns}) == len(table.columns)


def test_a_study_without_chapters_prints_what_is_left():
    study = study_of(ROOT / "config/smoke.yaml", "function", "robustness", "lut", "geometry")
    assert {table.chapter for table in tables_of(study)} == {"weights", "rate_distortion"}
    assert not has(study, ("lut", "simulations"))


def test_cells_have_the_digits_of_their_column():
    rows = [{"a": "x_y", "b": 0.12345, "c": 1.0}, {"a": None, "b": None, "c": float("inf")}]
    found = printed(rows, Text("a", "name"), Number("b", "rate", "bit", 3), Number("c", "count"))
    assert found.rows == (("x_y", "0.123", "1.00"), (None, None, "infinite"))
    assert [(one.heading, one.unit, one.kind) for one in found.columns] == [
        ("name", "", "text"),
        ("rate", "bit", "number"),
        ("count", "", "number"),
    ]


def test_whole_numbers_are_exact():
    assert printed([{"a": 22713216}], Number("a", "weights")).rows == (("22713216",),)


def test_a_table_without_rows_has_none():
    assert printed(pd.DataFrame({"a": []}), Number("a", "weights")).rows == ()


def test_tables_are_written_in_order_and_the_same_bytes_twice(tmp_path):
    table = printed([{"a": 0.5}], Number("a", "rate"))
    for name in ("first", "second"):
        write_rendered([table, table], tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    (one, _) = json.loads((tmp_path / "first").read_text())
    assert one["rows"] == [["0.500"]]
