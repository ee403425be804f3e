"""What a run says of itself: how long it may take, what it made, where to look."""

import logging

from qatlas.paper.closing import closing_message, failure_message
from qatlas.paper.expected_time import (
    NO_RUN,
    PlannedJob,
    expectation_in_words,
    expected_time,
    read_recorded_run,
)
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent


class Foreteller(logging.Handler):
    """Says how long a run may take when Snakemake has listed its jobs; a dry run has no hooks."""

    def emit(self, record):
        # On a cluster, jobs wait for others' jobs, of which nothing is known.
        if getattr(record, "event", None) is LogEvent.RUN_INFO and workflow.local_exec:
            logger.info(expectation())


def planned():
    """Jobs of this run that do something."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    return [job for job in jobs if not job.is_norun]


def expectation():
    """How long this run may take, in words."""
    try:
        # Snakemake removes the record before it is made anew, and leaves none if that fails.
        record = read_recorded_run(RECORDED_RUN) if Path(RECORDED_RUN).is_file() else NO_RUN
    except AtlasError as error:
        raise WorkflowError(str(error))
    jobs = [
        PlannedJob(job.rule.name, job.benchmark and str(job.benchmark), job.threads)
        for job in planned()
    ]
    return expectation_in_words(expected_time(jobs, record, workflow.cores), record.machine)


if workflow.is_main_process:
    logger.addHandler(Foreteller())


onsuccess:
    logger.info(closing_message(str(file) for job in planned() for file in job.output))


onerror:
    logger.error(failure_message((job.rule.name, job.log) for job in workflow.scheduler.failed))
