from pathlib import Path

from qatlas.job import job, progress
from qatlas.lut.map_files import make_map
from qatlas.lut.map_names import parse_map_name

with job(snakemake):
    for path in progress([*map(Path, snakemake.output)], what="map"):
        make_map(parse_map_name(path), path.parents[1])
