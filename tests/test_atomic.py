import errno
import os
import shutil

import pytest

from qatlas.atomic import replacing, require_room, require_writable
from qatlas.errors import AtlasError


def write_half_and_fail(path):
    path.write_text("half")
    raise KeyError(path)


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_text("old")
    with pytest.raises(KeyError), replacing(path) as unfinished:
        write_half_and_fail(unfinished)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "the disk is full"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "the disk is full"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "the disk quota is used up"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS)), "the file system is read-only"),
    ],
)
def test_where_nothing_can_be_written_the_file_and_the_remedy_are_named(tmp_path, error, said):
    path = tmp_path / "table.parquet"
    with pytest.raises(AtlasError, match=said) as refused, replacing(path):
        raise error
    assert str(path) in str(refused.value)
    assert "run the same command again" in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_can_be_made_can_be_written_to(tmp_path):
    require_writable(tmp_path / "results")
    assert list((tmp_path / "results").iterdir()) == []


def test_a_disk_without_room_is_refused(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    require_room(tmp_path)
    monkeypatch.setattr("qatlas.atomic.disk_usage", lambda folder: usage._replace(free=4096))
    with pytest.raises(AtlasError, match="the disk is full"):
        require_room(tmp_path)


def test_a_folder_below_a_file_cannot_be_written_to(tmp_path):
    (tmp_path / "results").touch()
    with pytest.raises(AtlasError, match="results: cannot be written to"):
        require_writable(tmp_path / "results")
