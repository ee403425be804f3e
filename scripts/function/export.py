from qatlas.function.calibration import read_moments
from qatlas.function.quantization import Point, quantize_layers
from qatlas.job import job
from qatlas.models.architectures.build import load
from qatlas.models.layers import linear_layers
from qatlas.models.packed import save_quantized, write_manifest

with job(snakemake):
    params, output, name = snakemake.params, snakemake.output, snakemake.wildcards.language_model
    model = load(params.folder)
    point = Point(**params.point)
    quantized = quantize_layers(
        linear_layers(model, tuple(params.keep)),
        point.create(),
        read_moments(snakemake.input.moments),
        params.seed,
        name,
    )
    layers = {found.layer.tensor: found.encoded for found in quantized}
    size = save_quantized(model, point.create(), layers, output.model)
    named = {"model": name, "seed": int(snakemake.wildcards.seed), **point.key()}
    write_manifest(size, named, output.manifest)
