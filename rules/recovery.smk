"""The same command goes on after whatever ended the last run."""

import time
from types import SimpleNamespace

from qatlas.atomic import require_room, require_writable
from qatlas.runs import between_runs, hold
from qatlas.written import bring_back, damaged
from snakemake.io import IOFile
from snakemake.logging import logger
from snakemake.persistence.file import FilePersistence


def recover():
    """While no run is at work, drop the locks of a killed one and have damaged outputs made again."""
    with between_runs() as at_work:
        if at_work:
            logger.warning(at_work)
            return
        if ahead := bring_back(time.time_ns()):
            logger.warning(f"{len(ahead)} results were dated ahead of the clock, {ahead[0]} first")
        state = FilePersistence()
        state.cleanup_locks()
        for path in damaged():
            logger.warning(f"{path}: damaged or edited since it was written; it is made again")
            # What a job began and did not finish is made again, wanted or not.
            state.started(SimpleNamespace(output=[IOFile(str(path))]))


# Jobs read these rules again; looking once is enough.
if workflow.is_main_process:
    try:
        require_room(".")
        recover()
    except AtlasError as error:
        raise WorkflowError(str(error))


onstart:
    try:
        hold()
        require_writable("results")
    except AtlasError as error:
        raise WorkflowError(str(error))
