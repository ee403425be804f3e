from qatlas.job import job
from qatlas.paper.report_pages import page_of, write_configuration, write_page

with job(snakemake):
    write_configuration(snakemake.params.study, snakemake.output.config)
    shown = [*snakemake.input.shown, snakemake.output.config]
    for path, page in zip(shown, snakemake.output.pages, strict=True):
        write_page(page_of(path), page)
