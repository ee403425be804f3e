from qatlas.config.lut import Lut
from qatlas.figure_files import save_figure
from qatlas.job import job, progress
from qatlas.lut.simulation.plot_names import parse_plot_name
from qatlas.lut.simulation.plots import caption, draw, select
from qatlas.lut.simulation.schema import EXAMPLES, TRAJECTORIES
from qatlas.tables import read_whole_table

with job(snakemake):
    settings = Lut(**snakemake.params.settings)
    section = settings.simulations
    tables = {
        k.name: read_whole_table(k, snakemake.input[k.name]) for k in (EXAMPLES, TRAJECTORIES)
    }
    asked, formats = snakemake.output.pdf, snakemake.params.formats
    for path in progress([asked] if isinstance(asked, str) else list(asked), what="plot"):
        drawn = select(tables, parse_plot_name(path, settings), section)
        save_figure(draw(drawn), drawn, caption(drawn, section), path, formats)
