from pathlib import Path
from shutil import copyfile, rmtree

from qatlas.atomic import replacing
from qatlas.job import job

with job(snakemake):
    folder = Path(snakemake.params.folder)
    if folder.exists():
        rmtree(folder)
    folder.mkdir(parents=True)
    for source in map(Path, snakemake.input.plots):
        with replacing(folder / source.parent.name / source.name) as unfinished:
            copyfile(source, unfinished)
