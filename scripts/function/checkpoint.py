from qatlas.function.checkpoints import evaluate_checkpoint
from qatlas.function.opening import open_calibrated
from qatlas.function.schema import EVALUATIONS, LAYERS, POSITIONS
from qatlas.job import job
from qatlas.models.prequantized.opening import open_prequantized
from qatlas.tables import write_table

with job(snakemake):
    params, output = snakemake.params, snakemake.output
    checkpoint = open_prequantized(params.folder, snakemake.wildcards.checkpoint)
    calibrated, reading = open_calibrated(
        params.base["language_model"],
        params.base["seed"],
        params.base_folder,
        tuple(params.keep),
        snakemake.input.moments,
        snakemake.input.documents,
        params.reading,
        params.seed,
    )
    evaluated = evaluate_checkpoint(calibrated, checkpoint, reading)
    write_table(evaluated.evaluations, EVALUATIONS, output.evaluations)
    write_table(evaluated.positions, POSITIONS, output.positions)
    write_table(evaluated.layers, LAYERS, output.layers)
