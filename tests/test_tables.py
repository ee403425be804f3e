from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from qatlas.errors import AtlasError
from qatlas.tables import Column, Table, read_table, read_whole_table, write_csv, write_table

KIND = Table(
    "weighings",
    "One weighing.",
    (
        Column("thing", "text", "What was weighed."),
        Column("mass_kg", "number", "Its mass."),
        Column("count", "integer", "How many.", nullable=True),
        Column("exact", "truth", "Whether it was exact."),
    ),
)
ROWS = [
    {"thing": "stone", "mass_kg": 2.5, "count": 1, "exact": True},
    {"thing": "feather", "mass_kg": 1e-3, "count": None, "exact": False},
]


def row(**changes):
    return ROWS[0] | changes


def test_what_is_written_is_read_with_the_schemas_types(tmp_path):
    write_table(ROWS, KIND, tmp_path / "new folder" / "t.parquet")
    found = read_table(KIND, tmp_path / "new folder" / "t.parquet")
    assert list(found) == ["thing", "mass_kg", "count", "exact"]
    assert found.thing.tolist() == ["stone", "feather"]
    assert found.mass_kg.tolist() == [2.5, 1e-3]
    assert found["count"].isna().tolist() == [False, True]
    assert found.exact.tolist() == [True, False]
    assert pq.read_schema(tmp_path / "new folder" / "t.parquet") == KIND.schema


def test_a_frame_is_written_like_its_rows_whatever_its_order_and_index(tmp_path):
    frame = pd.DataFrame(ROWS)[["exact", "count", "mass_kg", "thing"]].set_index(pd.Index([5, 3]))
    write_table(ROWS, KIND, tmp_path / "rows")
    write_table(frame, KIND, tmp_path / "frame")
    assert (tmp_path / "frame").read_bytes() == (tmp_path / "rows").read_bytes()


def test_what_was_read_is_written_with_the_same_bytes(tmp_path):
    write_table(ROWS, KIND, tmp_path / "first")
    write_table(read_table(KIND, tmp_path / "first"), KIND, tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_a_table_without_rows_keeps_its_columns(tmp_path):
    write_table([], KIND, tmp_path / "t")
    found = read_table(KIND, tmp_path / "t")
    assert (len(found), list(found)) == (0, KIND.schema.names)


def test_several_files_are_read_in_the_order_given(tmp_path):
    for name in "abc":
        write_table([row(thing=name)], KIND, tmp_path / name)
    paths = [tmp_path / name for name in "cab"]
    assert read_table(KIND, *paths).thing.tolist() == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (row(colour="red"), r"disagree on \['colour'\]"),
        (row(thing=3), "column thing"),
        (row(mass_kg="heavy"), "column mass_kg"),
        (row(count=1.5), "column count"),
        (row(count="many"), "column count"),
        (row(exact="yes"), "column exact"),
        (row(thing=None), "thing: string not null"),
        (row(mass_kg=None), "mass_kg: double not null"),
        (row(mass_kg=np.nan), "mass_kg: double not null"),
        (row(exact=None), "exact: bool not null"),
    ],
)
def test_rows_that_break_the_schema_leave_no_file(wrong, message, tmp_path):
    with pytest.raises(AtlasError, match=f"table weighings: .*{message}"):
        write_table([*ROWS, wrong], KIND, tmp_path / "t.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_column_that_is_missing_is_named(tmp_path):
    rows = [{"thing": "stone", "mass_kg": 2.5, "exact": True}]
    with pytest.raises(AtlasError, match=r"table weighings: .* disagree on \['count'\]"):
        write_table(rows, KIND, tmp_path / "t.parquet")


def test_what_stood_there_survives_a_failed_write(tmp_path, monkeypatch):
    def breaks_off(table, path, **_):
        path.write_bytes(b"half a ta")
        raise OSError("no space left on device")

    write_table(ROWS, KIND, tmp_path / "t.parquet")
    before = (tmp_path / "t.parquet").read_bytes()
    monkeypatch.setattr(pq, "write_table", breaks_off)
    with pytest.raises(OSError, match="no space left"):
        write_table(ROWS, KIND, tmp_path / "t.parquet")
    assert (tmp_path / "t.parquet").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("content", [None, b"", b"not a parquet file", "cut"])
def test_a_file_that_cannot_be_read_is_named_with_what_to_do(content, tmp_path):
    path = tmp_path / "t.parquet"
    if content == "cut":
        write_table(ROWS, KIND, path)
        path.write_bytes(path.read_bytes()[:-10])
    elif content is not None:
        path.write_bytes(content)
    message = r"t\.parquet: not a readable parquet file .*snakemake --force \S*t\.parquet"
    with pytest.raises(AtlasError, match=message):
        read_table(KIND, path)


@pytest.mark.parametrize(
    ("foreign", "difference"),
    [
        (
            pa.Table.from_pylist(ROWS, KIND.schema).drop(["exact"]),
            "not as expected: exact",
        ),
        (
            pa.Table.from_pylist(ROWS, KIND.schema).rename_columns(
                ["thing", "mass_g", "count", "exact"]
            ),
            "not as expected: mass_kg; found: mass_g",
        ),
        (
            pa.Table.from_pylist(
                ROWS, pa.schema([KIND.schema.field(0).with_nullable(True), *list(KIND.schema)[1:]])
            ),
            "not as expected: thing; found: thing",
        ),
        (
            pa.Table.from_pylist(ROWS, pa.schema(list(KIND.schema)[::-1])),
            "the order differs",
        ),
    ],
    ids=["fewer columns", "another name", "another type", "another order"],
)
def test_a_table_of_another_schema_is_named_with_what_to_do(foreign, difference, tmp_path):
    pq.write_table(foreign, tmp_path / "t.parquet")
    message = (
        rf"t\.parquet: its columns are not those of a weighings table.*\({difference}\); "
        r"make it again: snakemake --force \S*t\.parquet"
    )
    with pytest.raises(AtlasError, match=message):
        read_table(KIND, tmp_path / "t.parquet")


def test_what_is_written_for_reading_has_six_digits(tmp_path):
    rows = pd.DataFrame([{"thing": "stone", "mass_kg": 1 / 3, "count": 1}, {"thing": "air"}])
    write_csv(rows[["thing", "mass_kg"]], tmp_path / "new folder" / "t.csv")
    text = (tmp_path / "new folder" / "t.csv").read_text()
    assert text == "thing,mass_kg\nstone,0.333333\nair,\n"


def test_a_chapters_table_without_rows_is_named_where_every_study_has_some(tmp_path):
    write_table([], KIND, tmp_path / "t.parquet")
    assert read_whole_table(KIND, tmp_path / "t.parquet").empty
    with pytest.raises(
        AtlasError, match=r"t\.parquet: has no rows.*snakemake --force \S*t\.parquet"
    ):
        read_whole_table(replace(KIND, always_has_rows=True), tmp_path / "t.parquet")
    write_table(ROWS, KIND, tmp_path / "t.parquet")
    assert len(read_whole_table(replace(KIND, always_has_rows=True), tmp_path / "t.parquet")) == 2
