import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.written import FOLDER, bring_back, damaged, forget, note, require_sound


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "results/table.parquet"
    path.parent.mkdir()
    path.write_bytes(bytes(range(200)))
    note([path])
    return path


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "results/snapshot"
    (path / "deep").mkdir(parents=True)
    (path / "deep/a.json").write_text("1")
    (path / "b.json").write_text("2")
    (path / "weights").symlink_to("/nowhere/at/all")
    note([path])
    return path


def change_as_if_nothing_was(path, content):
    """Other content of the same length and with the old times."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_what_was_written_is_sound(table, folder):
    require_sound([table, folder])
    assert damaged() == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 199), st.integers(1, 255), st.integers(0, 199))
def test_any_flipped_bit_and_any_lost_end_is_noticed(position, flip, kept):
    path = Path("results/any")
    path.parent.mkdir(exist_ok=True)
    sound = bytearray(range(200))
    for content in (
        [*sound[:position], sound[position] ^ flip, *sound[position + 1 :]],
        sound[:kept],
    ):
        path.write_bytes(sound)
        note([path])
        path.write_bytes(bytes(content))
        assert damaged() == [path]
        with pytest.raises(AtlasError, match="results/any: damaged or edited"):
            require_sound([path])


def test_damage_that_kept_size_and_time_is_noticed(table):
    change_as_if_nothing_was(table, bytes(200))
    assert len(damaged()) == 1


def test_a_reader_that_finds_damage_has_the_next_run_look_again(table, monkeypatch):
    # A disk that forgets changes no time: what a run trusts at its start, a reader does not.
    monkeypatch.setattr("qatlas.written._appearance", lambda path: "as ever")
    note([table])
    table.write_bytes(bytes(200))
    assert damaged() == []
    with pytest.raises(AtlasError, match=r"table\.parquet"):
        require_sound([table])
    assert len(damaged()) == 1


def test_a_copy_with_other_times_is_sound_and_not_read_twice(table):
    os.utime(table, (1, 1))
    noted = FOLDER / "results/table.parquet.json"
    before = noted.read_text()
    assert damaged() == []
    assert noted.read_text() != before
    after = noted.stat().st_mtime_ns
    assert damaged() == []
    assert noted.stat().st_mtime_ns == after


def change_a_file(folder):
    (folder / "deep/a.json").write_text("3")


def add_a_file(folder):
    (folder / "deep/c.json").write_text("3")


def remove_a_file(folder):
    (folder / "b.json").unlink()


def turn_a_link(folder):
    (folder / "weights").unlink()
    (folder / "weights").symlink_to("/somewhere/else")


@pytest.mark.parametrize("change", [change_a_file, add_a_file, remove_a_file, turn_a_link])
def test_a_folder_is_sound_only_as_a_whole(folder, change):
    change(folder)
    assert [path.name for path in damaged()] == ["snapshot"]
    with pytest.raises(AtlasError, match="snapshot"):
        require_sound([folder])


def test_the_mark_that_snakemake_leaves_in_a_folder_is_no_damage(folder):
    (folder / ".snakemake_timestamp").touch()
    assert damaged() == []


def test_what_no_job_wrote_is_not_checked(tmp_path):
    (tmp_path / "mine.csv").write_text("1")
    require_sound([tmp_path / "mine.csv", "absent", "/etc/hostname"])
    assert damaged() == []


def test_what_was_removed_is_missing_and_not_damaged(table, folder):
    table.unlink()
    shutil.rmtree(folder)
    assert damaged() == []


def test_an_input_that_a_job_wrote_and_is_gone_is_refused(table):
    table.unlink()
    with pytest.raises(AtlasError, match=r"table\.parquet"):
        require_sound([table])


def test_what_is_written_anew_is_not_held_against_the_old_note(table):
    forget([table])
    table.write_bytes(b"new")
    require_sound([table])
    assert damaged() == []


NOW = 1_800_000_000 * 10**9
HOUR = 3600 * 10**9


def test_results_of_a_clock_that_ran_ahead_are_brought_back_in_their_order(table, folder, tmp_path):
    mark = folder / ".snakemake_timestamp"
    mark.touch()
    past = tmp_path / "results/past"
    past.touch()
    note([past])
    for path, time_ns in ((table, NOW + 2 * HOUR), (mark, NOW + 3 * HOUR), (past, NOW - HOUR)):
        os.utime(path, ns=(time_ns, time_ns))
    assert [path.name for path in bring_back(NOW)] == ["snapshot", "table.parquet"]
    times = [path.stat().st_mtime_ns for path in (table, mark, past)]
    assert times == [NOW - HOUR, NOW, NOW - HOUR]
    assert damaged() == []
    assert bring_back(NOW) == []


def test_a_link_is_brought_back_and_not_what_it_leads_to(tmp_path):
    target, link = tmp_path / "of_a_package", tmp_path / "results/link"
    target.touch()
    link.parent.mkdir()
    link.symlink_to(target)
    note([link])
    os.utime(target, ns=(NOW - HOUR, NOW - HOUR))
    os.utime(link, ns=(NOW + HOUR, NOW + HOUR), follow_symlinks=False)
    assert bring_back(NOW) == [Path("results/link")]
    assert (link.lstat().st_mtime_ns, target.stat().st_mtime_ns) == (NOW, NOW - HOUR)


def test_outputs_elsewhere_are_left_alone(tmp_path, monkeypatch):
    (tmp_path / "below").mkdir()
    (tmp_path / "above.csv").write_text("1")
    monkeypatch.chdir(tmp_path / "below")
    note(["../above.csv"])
    assert not FOLDER.exists()


def test_a_note_that_is_cut_off_is_none(table):
    place = FOLDER / "results/table.parquet.json"
    place.write_text(place.read_text()[:10])
    table.write_bytes(b"")
    assert damaged() == []
    require_sound([table])
