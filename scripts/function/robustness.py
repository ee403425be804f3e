import sys
from pathlib import Path

from qatlas.atomic import replacing
from qatlas.config.robustness import Robustness
from qatlas.function.robustness.interchange import write_interchange
from qatlas.function.robustness.report import table_text
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.function.robustness.settings import settings_of
from qatlas.function.robustness.sources import rows_of
from qatlas.function.robustness.summary import robustness_summary
from qatlas.function.schema import EVALUATIONS
from qatlas.job import job
from qatlas.summary import write_summary
from qatlas.tables import read_whole_table, write_table

with job(snakemake):
    inputs, output = snakemake.input, snakemake.output
    section = Robustness(**snakemake.params.settings)
    rows = rows_of(section, lambda: read_whole_table(EVALUATIONS, inputs.evaluations))
    settings = settings_of(section)
    summary = robustness_summary(rows, settings)
    text = table_text(rows, settings, summary.claims)
    write_table(rows, ROBUSTNESS, output.rows)
    write_summary(summary, output.summary)
    write_interchange(rows, settings, Path(output.interchange))
    with replacing(output.text) as unfinished:
        unfinished.write_text(text)
    sys.stdout.write(text)
