import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.paper.expected_time import (
    PlannedJob,
    RecordedRun,
    expectation_in_words,
    expected_time,
    read_recorded_run,
    recorded_run,
    write_recorded_run,
)

HEADER = "s\th:m:s\tmax_rss\n"


@pytest.fixture
def timed(tmp_path):
    """A job whose earlier run took so many seconds."""

    def job(name, seconds, threads=1):
        path = tmp_path / f"{name}.benchmark.tsv"
        path.write_text(f"{HEADER}{seconds}\t0:00:01\tNA\n")
        return PlannedJob("sweep", str(path), threads)

    return job


def record(**seconds):
    return RecordedRun("2 cores of a processor", seconds)


def scheduled(times, cores):
    """When jobs of one thread are done that start, longest first, as soon as a core is free."""
    free = [0.0] * cores
    for time in sorted(times, reverse=True):
        heapq.heappush(free, heapq.heappop(free) + time)
    return max(free)


@given(st.lists(st.floats(0.01, 1e4), min_size=1, max_size=40), st.integers(1, 16))
def test_no_schedule_is_faster_and_a_greedy_one_is_at_most_twice_as_slow(times, cores):
    seconds = {str(place): time for place, time in enumerate(times)}
    jobs = [PlannedJob("sweep", name, 1) for name in seconds]
    found = expected_time(jobs, record(**seconds), cores).seconds
    assert found <= scheduled(times, cores) * (1 + 1e-9)
    assert scheduled(times, cores) <= 2 * found


def test_a_job_of_several_threads_takes_several_cores_but_no_more_than_there_are(timed):
    jobs = [timed("wide", 10, threads=4), timed("narrow", 10)]
    assert expected_time(jobs, record(), 4).seconds == pytest.approx(12.5)
    assert expected_time(jobs, record(), 1).seconds == pytest.approx(20)


def test_earlier_runs_here_count_before_the_recorded_run(timed):
    here = timed("here", 7)
    jobs = [here, PlannedJob("bounds", "elsewhere", 1)]
    found = expected_time(jobs, record(**{here.benchmark: 100.0, "elsewhere": 30.0}), 1)
    assert (found.seconds, found.here, found.recorded) == (37, 1, 1)
    assert not found.untimed


def test_a_benchmark_file_that_was_cut_off_is_no_time(tmp_path):
    path = tmp_path / "cut.benchmark.tsv"
    jobs = [PlannedJob("sweep", str(path), 1)]
    for text in ("", HEADER, f"{HEADER}1.0", f"{HEADER}fast\t0\tNA\n"):
        path.write_text(text)
        assert expected_time(jobs, record(), 1).untimed == {"sweep": 1}
        assert expected_time(jobs, record(**{str(path): 5.0}), 1).recorded == 1


def test_jobs_that_were_never_timed_are_named_and_counted(timed):
    unknown = [PlannedJob("tables", None, 1), *[PlannedJob("sweep", f"no {i}", 1) for i in "ab"]]
    found = expected_time([timed("known", 240), *unknown], record(), 2)
    assert expectation_in_words(found, "2 cores of a processor") == (
        "Expected time: 4 min on 2 cores, from earlier runs here (1 job); not counted, since "
        "never timed: sweep (2), tables"
    )
    nothing = expected_time(unknown, record(), 2)
    said = expectation_in_words(nothing, "2 cores of a processor")
    assert said == "Expected time: unknown, since no job was timed before: sweep (2), tables"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3000, "50 min"), (9000, "2.5 h")],
)
def test_times_are_told_no_more_precisely_than_they_are_known(seconds, said):
    found = expected_time([PlannedJob("sweep", "x", 1)], record(x=seconds), 1)
    assert expectation_in_words(found, "2 cores of a processor") == (
        f"Expected time: {said} on 1 core, from the recorded run on 2 cores of a processor (1 job)"
    )


def test_a_recorded_run_is_read_as_it_was_written_and_names_benchmark_files(tmp_path):
    machine = {"cores": 2, "processor": "A processor", "system": "Linux"}
    found = recorded_run({"weights/figures/kurtosis": 3.0}, machine, "results")
    assert found == RecordedRun(
        "2 cores of A processor", {"results/weights/figures/kurtosis.benchmark.tsv": 3.0}
    )
    write_recorded_run(found, tmp_path / "record.json")
    assert read_recorded_run(tmp_path / "record.json") == found


@pytest.mark.parametrize("content", ["", "{}", "[1]", '{"machine": "one", "time": {}}'])
def test_what_is_no_recorded_run_is_refused_with_what_to_do(tmp_path, content):
    path = tmp_path / "record.json"
    path.write_text(content)
    with pytest.raises(AtlasError, match=r"record\.json: not a recorded run.*recorded_run"):
        read_recorded_run(path)
