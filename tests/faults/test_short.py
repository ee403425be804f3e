"""What ends a run, on a study of three jobs; `make test-faults` does worse to the smoke study."""

import os
import signal

import yaml

from tests.faults.conftest import MANIFEST, STATISTICS
from tests.faults.runs import kill_all, kill_snakemake_alone, wait_until_ended
from tests.workflow.test_study import hashes


def test_after_a_kill_the_same_command_goes_on_to_the_same_bytes(chain):
    run = chain.start()
    chain.job("manifest")
    kill_all(run)
    assert list((chain.folder / ".snakemake/locks").iterdir())
    status, said = chain.run()
    assert status == 0, said
    assert "sampled_snapshots" not in said
    assert not list(chain.folder.glob("results/**/.unfinished*"))

    unbroken = hashes(chain)
    # An edit behind Snakemake's back, of a table that is there only for others.
    manifest = chain.folder / MANIFEST
    before = manifest.stat()
    damaged = bytearray(manifest.read_bytes())
    damaged[len(damaged) // 2] ^= 4
    manifest.write_bytes(damaged)
    os.utime(manifest, ns=(before.st_atime_ns, before.st_mtime_ns))
    status, said = chain.run()
    assert status == 0, said
    assert f"{MANIFEST}: damaged or edited since it was written; it is made again" in said
    assert hashes(chain) == unbroken
    assert "Nothing to be done" in chain.run()[1]


def test_two_runs_at_once_are_one_and_a_refusal(chain):
    first = chain.start()
    job = chain.job("sampled_snapshots")
    os.kill(job, signal.SIGSTOP)
    status, said = chain.run()
    assert status != 0
    assert f"another run is at work in this folder (process {first.pid} on" in said
    assert "Traceback" not in said
    os.kill(job, signal.SIGCONT)
    said, _ = first.communicate(timeout=300)
    assert first.returncode == 0, said
    assert (chain.folder / STATISTICS).exists()


def test_a_job_that_outlives_its_run_writes_nothing_over_the_next_one(chain):
    run = chain.start()
    orphan = chain.job("sampled_snapshots")
    os.kill(orphan, signal.SIGSTOP)
    kill_snakemake_alone(run)
    config = chain.folder / "study.yaml"
    config.write_text(yaml.safe_dump(yaml.safe_load(config.read_text()) | {"seed": 7}))
    status, said = chain.run()
    assert status == 0, said
    of_seed_7 = hashes(chain)
    os.kill(orphan, signal.SIGCONT)
    wait_until_ended(orphan)
    assert hashes(chain) == of_seed_7
    log = chain.folder / "results/weights/_sampled/snapshots.log"
    assert "another has begun" in log.read_text()
    assert "Nothing to be done" in chain.run()[1]
