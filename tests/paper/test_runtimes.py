import pandas as pd
import pytest

from qatlas.errors import AtlasError
from qatlas.paper.runtimes import runtimes, write_runtimes

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"


@pytest.fixture
def results(tmp_path):
    """Benchmark files as Snakemake writes them; a job too short to be sampled has no memory."""

    def benchmark(job, *measured):
        path = tmp_path / f"{job}.benchmark.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\t".join(map(str, measured)).join((f"{HEADER}\n", "\n")))

    benchmark("sweep/minilm/uniform/0", 12.34, "0:00:12", 512.5, 1, 1, 1, 0, 0, 99, 12)
    benchmark("sweep/minilm/uniform/1", 3.0, "0:00:03", 256.0, 1, 1, 1, 0, 0, 99, 3)
    benchmark("bounds/minilm/0", 3.0, "0:00:03", 700.0, 1, 1, 1, 0, 0, 99, 3)
    benchmark("figures/quick", 0.04, "0:00:00", *["NA"] * 8)
    (tmp_path / "sweep" / "other.tsv").write_text("s\n1\n")
    return tmp_path


def test_every_benchmark_file_is_a_row_and_the_slowest_job_is_first(results):
    found = runtimes(results)
    assert list(found) == ["job", "seconds", "peak_memory_mib"]
    assert found.job.tolist() == [
        "sweep/minilm/uniform/0",
        "bounds/minilm/0",
        "sweep/minilm/uniform/1",
        "figures/quick",
    ]
    assert found.seconds.tolist() == [12.34, 3.0, 3.0, 0.04]
    assert found.peak_memory_mib.tolist()[:3] == [512.5, 700.0, 256.0]


def test_memory_that_was_not_measured_is_missing(results, tmp_path):
    found = runtimes(results)
    assert found.peak_memory_mib.isna().tolist() == [False, False, False, True]
    write_runtimes(found, tmp_path / "runtimes.csv")
    assert (tmp_path / "runtimes.csv").read_text().splitlines()[-1] == "figures/quick,0.0,"


def test_a_benchmark_file_that_was_cut_off_is_refused_by_its_name(results):
    (results / "bounds/minilm/0.benchmark.tsv").write_text("s\tmax_rss\n")
    with pytest.raises(AtlasError, match=r"0\.benchmark\.tsv: not a benchmark file"):
        runtimes(results)


def test_a_folder_without_benchmarks_gives_an_empty_table(tmp_path):
    found = runtimes(tmp_path)
    assert (len(found), list(found)) == (0, ["job", "seconds", "peak_memory_mib"])


def test_what_is_written_is_a_csv_of_the_table(results, tmp_path):
    write_runtimes(runtimes(results), tmp_path / "runtimes.csv")
    found = pd.read_csv(tmp_path / "runtimes.csv")
    assert found.seconds.tolist() == [12.3, 3.0, 3.0, 0.0]
