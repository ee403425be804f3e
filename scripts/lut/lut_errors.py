from itertools import chain

from qatlas.job import job, progress
from qatlas.lut.all_tables import all_tables
from qatlas.lut.error_report import cell_rows, error_rows, rank_row
from qatlas.lut.operand_counts import operands_of_rows
from qatlas.lut.schema import MAP_CELLS, MAP_ERRORS, MAP_RANKS, OPERANDS
from qatlas.tables import read_table, write_table

with job(snakemake):
    params, output = snakemake.params, snakemake.output
    models = operands_of_rows(read_table(OPERANDS, *snakemake.input.operands))
    tables = all_tables(snakemake.input.maps, params.multipliers, params.tables, params.range)
    named = list(progress(list(tables), what="table"))
    errors = chain.from_iterable(error_rows(table, models) for table in named)
    write_table(list(errors), MAP_ERRORS, output.map_errors)
    write_table([rank_row(table) for table in named], MAP_RANKS, output.map_ranks)
    cells = chain.from_iterable(map(cell_rows, named))
    write_table(list(cells), MAP_CELLS, output.map_cells)
