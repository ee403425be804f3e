"""Jobs on a real Slurm and its faults: the run ends right, with the bytes of a local run."""

import signal
import time

import pytest

from tests.cluster.sent import Sent
from tests.cluster.slurm import until
from tests.workflow.conftest import copy_project
from tests.workflow.test_study import hashes

# A matter of two jobs, the second of which loads PyTorch.
STATISTICS = "results/weights/minilm/statistics/0.parquet"


def locally(folder, *targets):
    """Hashes of what the same targets are when they are made on this machine."""
    folder.mkdir()
    checkout = copy_project(folder)
    run = checkout.snakemake(*targets)
    assert run.returncode == 0, run.stdout
    return hashes(checkout)


@pytest.mark.slow
def test_a_lost_node_costs_an_attempt_and_no_result(cluster, tmp_path):
    sent = Sent(cluster, tmp_path / "sent", STATISTICS)
    job, node = sent.until_a_job_runs()
    cluster.lose_power(node)
    here = locally(tmp_path / "here", STATISTICS)
    sent.ends_well()
    assert cluster.ended()[job] == "NODE_FAIL"
    assert sent.told().count("Trying to restart job") == 1
    assert hashes(sent.checkout) == here


@pytest.mark.cluster
def test_the_small_study_has_the_bytes_of_a_local_run(cluster, tmp_path):
    sent = Sent(cluster, tmp_path / "sent")
    sent.ends_well(3000)
    assert "Trying to restart job" not in sent.told()
    assert hashes(sent.checkout) == locally(tmp_path / "here")


@pytest.mark.cluster
def test_a_job_over_its_memory_is_ended_and_given_more(cluster, tmp_path):
    scarce = ("--set-resources", "statistics:mem_mb=400 * attempt ** 2")
    sent = Sent(cluster, tmp_path / "sent", STATISTICS, *scarce)
    here = locally(tmp_path / "here", STATISTICS)
    sent.ends_well()
    # Slurm kills the step; the job around it fails of that.
    (job,) = [job for job, state in cluster.ended().items() if state == "FAILED"]
    assert f"StepId={job}.0 exceeded memory limit" in cluster.logs_of_nodes()
    assert hashes(sent.checkout) == here


@pytest.mark.cluster
def test_a_job_over_its_time_is_ended_and_given_more(cluster, tmp_path):
    short = ("--set-resources", "manifest:runtime=10 ** (attempt - 1)")
    sent = Sent(cluster, tmp_path / "sent", STATISTICS, *short)
    job, _ = sent.until_a_job_runs()
    cluster.freeze(job)
    here = locally(tmp_path / "here", STATISTICS)
    sent.ends_well()
    assert cluster.ended()[job] == "TIMEOUT"
    assert hashes(sent.checkout) == here


@pytest.mark.cluster
def test_a_controller_that_restarts_loses_no_job(cluster, tmp_path):
    sent = Sent(cluster, tmp_path / "sent", STATISTICS)
    job, _ = sent.until_a_job_runs()
    cluster.stop_controller()
    time.sleep(3)
    cluster.start_controller()
    here = locally(tmp_path / "here", STATISTICS)
    sent.ends_well()
    assert cluster.ended()[job] == "COMPLETED"
    assert "Trying to restart job" not in sent.told()
    assert hashes(sent.checkout) == here


@pytest.mark.cluster
def test_an_interrupted_run_cancels_its_jobs_and_goes_on_with_the_same_command(cluster, tmp_path):
    sent = Sent(cluster, tmp_path / "sent", STATISTICS)
    job, _ = sent.until_a_job_runs()
    sent.signal(signal.SIGINT)
    assert sent.process.wait(120) != 0
    until(lambda: cluster.ended()[job] == "CANCELLED", 60, "the end of the job")
    assert cluster.running() == {}
    sent.start()
    sent.ends_well()
    assert hashes(sent.checkout) == locally(tmp_path / "here", STATISTICS)


@pytest.mark.cluster
def test_jobs_of_a_killed_run_write_nothing_beside_its_successor(cluster, tmp_path):
    sent = Sent(cluster, tmp_path / "sent", STATISTICS)
    job, _ = sent.until_a_job_runs()
    frozen = cluster.freeze(job)
    sent.signal(signal.SIGKILL)
    assert sent.process.wait(20) != 0
    sent.start()
    sent.until_a_job_runs(job)
    for process in frozen:
        process.resume()
    sent.ends_well()
    until(lambda: job not in cluster.running(), 60, "the end of the first run's job")
    assert cluster.ended()[job] == "FAILED"
    assert hashes(sent.checkout) == locally(tmp_path / "here", STATISTICS)
