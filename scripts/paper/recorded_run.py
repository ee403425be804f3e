import json
from pathlib import Path

import pandas as pd

from qatlas.job import job
from qatlas.paper.expected_time import recorded_run, write_recorded_run

with job(snakemake):
    measured = pd.read_csv(snakemake.input.runtimes).set_index("job").seconds
    machine = json.loads(Path(snakemake.input.provenance).read_text())["machine"]
    folder = Path(snakemake.input.runtimes).parent
    record = recorded_run(measured.to_dict(), machine, str(folder))
    write_recorded_run(record, snakemake.output.record)
