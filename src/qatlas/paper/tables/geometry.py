"""The shape of the error, in print."""

import pandas as pd

from qatlas.config.study import Study
from qatlas.geometry.correction.schema import RESIDUALS
from qatlas.geometry.layers.schema import CORRECTIONS, FLIPS, GROWTHS, SPECTRA
from qatlas.geometry.schema import MANIFOLD_STATISTICS, REGIONS
from qatlas.paper.tables.printed import Frames, Number, PrintedTable, Text


def _regions(frames: Frames, study: Study) -> pd.DataFrame:
    rows = frames["regions"]
    return rows.assign(fills=rows.volume / rows.hull_volume, exceptional=rows.worst / rows.rms)


def _layers(frames: Frames, study: Study) -> pd.DataFrame:
    """Medians over the layers of each model, at the bits of the corrections."""
    corrections = frames["layer_corrections"]
    keys = ["model", "bits"]
    of_bits = corrections[keys].drop_duplicates()
    spectra = frames["layer_spectra"].merge(of_bits, on=keys)
    dimensions = spectra.groupby(keys)[["cell_participation", "participation"]].median()
    flips = frames["layer_flips"].merge(of_bits, on=keys)
    turned = flips[flips.flip_rate > 0].groupby([*keys, "scope"]).flip_rate.median().unstack()
    recovered = corrections.groupby([*keys, "scope", "correction"]).held_out.median()
    found = dimensions.assign(
        flips=turned.get("model"),
        **{
            f"{scope}_{correction}": values.droplevel(["scope", "correction"])
            for (scope, correction), values in recovered.groupby(["scope", "correction"])
        },
    )
    wanted = [column.name for column in _LAYER_COLUMNS[2:]]
    return found.reindex(columns=wanted).reset_index()


def _manifolds(frames: Frames, study: Study) -> pd.DataFrame:
    return frames["manifold_statistics"]


def _residuals(frames: Frames, study: Study) -> pd.DataFrame:
    return frames["toy_residuals"]


def _growths(frames: Frames, study: Study) -> pd.DataFrame:
    return frames["layer_growths"].sort_values(["model", "bits", "block"])


_LAYER_COLUMNS = (
    Text("model", "model"),
    Number("bits", "bits"),
    Number("cell_participation", "dimensions of the cell", "", 1),
    Number("participation", "of the error", "", 1),
    Number("flips", "signs changed", "", 4),
    Number("alone_diagonal", "alone, scale", "", 3),
    Number("alone_full", "alone, full", "", 3),
    Number("model_diagonal", "all, scale", "", 3),
    Number("model_full", "all, full", "", 3),
)

TABLES = (
    PrintedTable(
        "regions",
        "geometry",
        "Sets of all errors that rounding the weights of small networks can make: volume, share of "
        "the bounding box that it fills, longest error over the RMS of random ones, and how far "
        "out the farthest of the drawn weights is (1 is the boundary).",
        "text",
        ("geometry",),
        (REGIONS,),
        _regions,
        (
            Number("dimension", "channels"),
            Text("experiment", "matrices"),
            Number("volume", "volume"),
            Number("fills", "fills", "", 3),
            Number("worst", "longest"),
            Number("exceptional", "over RMS", "", 2),
            Number("largest_gauge", "farthest", "", 3),
        ),
    ),
    PrintedTable(
        "layers",
        "geometry",
        "Layers of trained models, medians: dimensions that rounding alone would fill and that "
        "the output error does fill, share of signs that change with all layers rounded, and "
        "share of the error's energy on held-out inputs that a scale and an offset an output, or "
        "a full affine map, recover, each layer rounded alone or all of them.",
        "text",
        ("geometry", "layers"),
        (SPECTRA, FLIPS, CORRECTIONS),
        _layers,
        _LAYER_COLUMNS,
    ),
    PrintedTable(
        "manifolds",
        "geometry",
        "Longest errors over the inputs of each set, mean RMS of random ones, and correlation of "
        "the longest with the sum of magnitudes of the input.",
        "appendix",
        ("geometry",),
        (MANIFOLD_STATISTICS,),
        _manifolds,
        (
            Text("manifold", "inputs"),
            Number("points", "points"),
            Number("minimum", "least"),
            Number("maximum", "largest"),
            Number("mean", "mean"),
            Number("mean_rms", "RMS"),
            Number("correlation_l1", "correlation", "", 3),
        ),
    ),
    PrintedTable(
        "residuals",
        "geometry",
        "What affine maps leave of the output error of a small ReLU network on held-out points, "
        "and the share of its energy that they recover.",
        "appendix",
        ("geometry",),
        (RESIDUALS,),
        _residuals,
        (
            Text("quantization", "rounded"),
            Text("inputs", "inputs"),
            Text("error_class", "error"),
            Text("correction", "map"),
            Number("rms", "RMS"),
            Number("recovered", "recovered", "", 3),
        ),
    ),
    PrintedTable(
        "block_errors",
        "geometry",
        "RMS error of hidden states behind each block over that of the hidden states, with all "
        "linear layers rounded: as measured, as first-order propagation has it, and the RMS of "
        "the difference over that of the error.",
        "appendix",
        ("geometry", "layers"),
        (GROWTHS,),
        _growths,
        (
            Text("model", "model"),
            Number("bits", "bits"),
            Number("block", "block"),
            Number("measured", "measured"),
            Number("first_order", "first order"),
            Number("unexplained", "unexplained", "", 3),
        ),
    ),
)
