"""What a run says of itself: how long it may take, what it made, where to look."""

import logging

from qatlas.paper.closing import closing_message, failure_message
from qatlas.paper.expected_time import (
    PlannedJob,
    expectation_in_words,
    expected_time,
    read_recorded_run,
)
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent


class Listener(logging.Handler):
    """Follows the events that Snakemake logs, since a dry run calls no other hook.

    Attributes
    ----------
    failed
        Rule and log files of every job that failed so far.
    """

    def __init__(self):
        super().__init__()
        self.failed = []

    def emit(self, record):
        event = getattr(record, "event", None)
        # On a cluster, jobs wait for others' jobs, of which nothing is known.
        if event is LogEvent.RUN_INFO and workflow.local_exec:
            logger.info(expectation())
        elif event is LogEvent.JOB_ERROR:
            self.failed.append((record.rule_name, list(record.log or ())))


def planned():
    """Jobs of this run that do something."""
    jobs = workflow.dag.needrun_jobs(exclude_finished=False)
    return [job for job in jobs if not job.is_norun]


def expectation():
    """How long this run may take, in words."""
    record = read_recorded_run(RECORDED_RUN)
    jobs = [
        PlannedJob(job.rule.name, job.benchmark and str(job.benchmark), job.threads)
        for job in planned()
    ]
    return expectation_in_words(expected_time(jobs, record, workflow.cores), record.machine)


listener = Listener()
if workflow.is_main_process:
    logger.addHandler(listener)


onsuccess:
    logger.info(closing_message(str(file) for job in planned() for file in job.output))


onerror:
    logger.error(failure_message(listener.failed))
