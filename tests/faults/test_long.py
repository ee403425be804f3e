"""What ends a run, on the smoke study: twenty kills, full disks, damage, clocks."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections import defaultdict

import pytest

from tests.faults.conftest import MANIFEST, STATISTICS
from tests.faults.runs import Faulty, kill_all, kill_snakemake_alone, require_mounts
from tests.workflow.conftest import copy_project
from tests.workflow.test_study import hashes

pytestmark = pytest.mark.faults

SEED = 2026
KILLS = 20


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The smoke study, built without a fault."""
    smoke = Faulty(copy_project(tmp_path_factory.mktemp("unbroken")).folder)
    status, said = smoke.run()
    assert status == 0, said
    return smoke


@pytest.fixture
def finished(unbroken, tmp_path):
    """A copy of it, whose files may be changed."""
    return Faulty(shutil.copytree(unbroken.folder, tmp_path / "study", symlinks=True))


def test_twenty_kills_at_random_moments_end_in_the_same_bytes(unbroken, tmp_path):
    smoke = Faulty(copy_project(tmp_path).folder)
    moments = random.Random(SEED)
    for kill in [kill_all, kill_snakemake_alone] * (KILLS // 2):
        run = smoke.start()
        try:
            said, _ = run.communicate(timeout=moments.uniform(2, 30))
        except subprocess.TimeoutExpired:
            kill(run)
            continue
        # It came to its end between two kills; the others are for one that begins anew.
        assert run.returncode == 0, said
        assert hashes(smoke) == hashes(unbroken)
        shutil.rmtree(smoke.folder / "results")
        shutil.rmtree(smoke.folder / ".snakemake")
    status, said = smoke.run()
    assert status == 0, said
    assert hashes(smoke) == hashes(unbroken)
    assert "Nothing to be done" in smoke.run()[1]


def cut(path):
    os.truncate(path, path.stat().st_size // 2)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_one_damaged_output_of_every_kind_is_made_again(finished):
    sound = hashes(finished)
    kinds = defaultdict(list)
    for name in sound:
        path = finished.folder / "results" / name
        if not path.is_symlink() and path.stat().st_size:
            kinds[path.suffix].append(path)
    assert {".parquet", ".json", ".pdf", ".png", ".csv", ".npz"} <= set(kinds)
    drawn = random.Random(SEED)
    chosen = [drawn.choice(paths) for paths in kinds.values()]
    for damage, path in zip([cut, flip] * len(kinds), chosen, strict=False):
        before = path.stat()
        damage(path)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert hashes(finished) != sound
    status, said = finished.run()
    assert status == 0, said
    # An output may be a folder of many files.
    named = re.findall(r"^(\S+): damaged or edited since .* made again$", said, re.MULTILINE)
    outputs = {finished.folder / name for name in named}
    assert len(outputs) == len(named)
    assert outputs == {one for path in chosen for one in (path, *path.parents) if one in outputs}
    assert all(outputs & {path, *path.parents} for path in chosen)
    assert hashes(finished) == sound


def test_results_dated_back_and_ahead_end_in_the_same_bytes(finished):
    sound = hashes(finished)
    drawn = random.Random(SEED)
    for name in sound:
        path = finished.folder / "results" / name
        moved = path.lstat().st_mtime + drawn.choice([-(10**8), 0, 10**8])
        os.utime(path, (moved, moved), follow_symlinks=False)
    status, said = finished.run()
    assert status == 0, said
    assert hashes(finished) == sound
    assert "Nothing to be done" in finished.run()[1]


def in_mounts(chain, script):
    """Run a shell script among mounts that nobody else sees; ``"$@"`` is the command."""
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *chain.command],
        cwd=chain.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=600,
    )
    return run.returncode, run.stdout


@pytest.mark.parametrize("size", ["4k", "24k", "48k"])
def test_a_full_disk_is_named_and_with_room_the_same_command_goes_on(chain, size):
    require_mounts()
    chain.run()
    sound = hashes(chain)
    shutil.rmtree(chain.folder / "results")
    shutil.rmtree(chain.folder / ".snakemake")
    (chain.folder / "results").mkdir()
    status, said = in_mounts(
        chain,
        f"""mount -t tmpfs -o size={size} tmpfs results
        if "$@"; then exit 9; fi
        mount -o remount,size=64m results && echo ROOM && "$@" && cp -a results with_room""",
    )
    full, _, _ = said.partition("ROOM")
    assert status == 0, said
    assert "the disk is full" in full or "No space left on device" in full
    assert "Traceback" not in full
    (chain.folder / "results").rmdir()
    (chain.folder / "with_room").rename(chain.folder / "results")
    assert hashes(chain) == sound


def test_a_results_folder_that_is_read_only_is_named_before_any_job(chain):
    require_mounts()
    (chain.folder / "results").mkdir()
    status, said = in_mounts(
        chain, 'mount --bind results results && mount -o remount,ro,bind results && "$@"'
    )
    assert status != 0
    assert "results: cannot be written to (Read-only file system)" in said
    assert "rule sampled_snapshots:" not in said
    assert "Traceback" not in said
    assert chain.run()[0] == 0


def test_unlocking_a_folder_lets_no_second_run_begin(chain):
    first = chain.start()
    job = chain.job("sampled_snapshots")
    os.kill(job, signal.SIGSTOP)
    unlocked = chain.snakemake("--unlock", config=chain.config)
    assert unlocked.returncode == 0, unlocked.stdout
    status, said = chain.run()
    assert status != 0
    assert "wait, or stop it" in said
    assert "rule sampled_snapshots:" not in said
    os.kill(job, signal.SIGCONT)
    said, _ = first.communicate(timeout=300)
    assert first.returncode == 0, said


def test_an_interrupted_run_says_so_and_the_same_command_goes_on(chain):
    run = chain.start()
    chain.job("manifest")
    os.killpg(run.pid, signal.SIGINT)
    said, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "Traceback" not in said
    last = json.loads((chain.folder / ".snakemake/qatlas/run.json").read_text())
    assert last["ended"]
    status, said = chain.run()
    assert status == 0, said
    assert "sampled_snapshots" not in said


def test_results_dated_ahead_of_the_clock_end_in_the_same_bytes(chain):
    assert chain.run()[0] == 0
    unbroken = hashes(chain)
    ahead = time.time() + 10**8
    os.utime(chain.folder / MANIFEST, (ahead, ahead))
    (chain.folder / STATISTICS).unlink()
    status, said = chain.run()
    assert status == 0, said
    assert "dated ahead of the clock" in said
    assert hashes(chain) == unbroken
