"""What the error does to a model's output, in print."""

import pandas as pd

from qatlas.config.study import Study
from qatlas.function.first_seed import of_first_seed
from qatlas.function.robustness.points import points, shown_points
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.function.robustness.settings import settings_of
from qatlas.function.schema import EMBEDDINGS, EVALUATIONS
from qatlas.paper.tables.printed import Frames, Number, PrintedTable, Text

_SHOWN_BITS = (2, 3, 4)


def _float_models(frames: Frames, study: Study) -> pd.DataFrame:
    rows = frames["evaluations"]
    itself = rows[rows.series == "float32"].groupby("model", sort=False)
    found = itself.agg(
        seeds=("seed", "nunique"),
        perplexity=("perplexity", "mean"),
        deviation=("perplexity", "std"),
        bits_per_byte=("bits_per_byte", "mean"),
    )
    noise = rows[rows.series == "bfloat16"].groupby("model").mean_kl.mean()
    return found.assign(noise=noise).reset_index()


def _least_divergence(frames: Frames, study: Study) -> pd.DataFrame:
    """The grid that changes each model least, at each of the shown nominal bits."""
    rows = _all_points(frames, study)
    shown = rows[rows.nominal_bits.isin(_SHOWN_BITS)]
    ranked = shown.sort_values(["model", "nominal_bits", "mean_kl", "series"])
    return ranked.drop_duplicates(["model", "nominal_bits"])


def _all_points(frames: Frames, study: Study) -> pd.DataFrame:
    rows = of_first_seed(frames["evaluations"])
    quantized = rows[rows.codec != "cast"]
    return quantized.sort_values(["model", "nominal_bits", "mean_kl", "series"])


def _embeddings(frames: Frames, study: Study) -> pd.DataFrame:
    return frames["embeddings"].sort_values(["model", "nominal_bits", "cosine", "series"])


def _shown_line(frames: Frames, study: Study) -> pd.DataFrame:
    if study.robustness is None:
        return pd.DataFrame()
    return _in_words(shown_points(frames["robustness"], settings_of(study.robustness)))


def _all_lines(frames: Frames, study: Study) -> pd.DataFrame:
    if study.robustness is None:
        return pd.DataFrame()
    settings = settings_of(study.robustness)
    return _in_words(points(frames["robustness"], settings.deployment))


def _in_words(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(deployable=rows.deployable.map({True: "yes", False: "no"}))


_MEANS = (
    Number("bit_width", "bits"),
    Number("seeds", "trainings"),
    Number("perplexity", "perplexity", "", 2),
    Number("perplexity_sd", "±", "", 2),
    Number("degradation_percent", "worse by", "%", 2),
    Text("deployable", "deployable"),
)
_POINT = (
    Text("model", "model"),
    Number("nominal_bits", "bits", "", 1),
    Text("series", "grid"),
    Number("rate_bits_per_weight", "rate", "bit", 3),
)

TABLES = (
    PrintedTable(
        "float_models",
        "function",
        "The language models themselves on the test text: mean over trainings and its standard "
        "deviation, and the KL divergence that computing in bfloat16 alone causes.",
        "text",
        ("function",),
        (EVALUATIONS,),
        _float_models,
        (
            Text("model", "model"),
            Number("seeds", "trainings"),
            Number("perplexity", "perplexity", "", 2),
            Number("deviation", "±", "", 2),
            Number("bits_per_byte", "bits a byte", "", 3),
            Number("noise", "KL, bfloat16", "nat"),
        ),
    ),
    PrintedTable(
        "least_divergence",
        "function",
        "At each number of nominal bits the grid whose model diverges least from the float model: "
        "true rate of the quantized layers, perplexity, and KL divergence.",
        "text",
        ("function",),
        (EVALUATIONS,),
        _least_divergence,
        (*_POINT, Number("perplexity", "perplexity", "", 2), Number("mean_kl", "KL", "nat")),
    ),
    PrintedTable(
        "robustness",
        "function",
        "Perplexity by precision on the line that is shown: mean over trainings and standard "
        "deviation, and what it is worse by than at 32 bits.",
        "text",
        ("robustness",),
        (ROBUSTNESS,),
        _shown_line,
        (Text("model", "model"), *_MEANS),
    ),
    PrintedTable(
        "evaluations",
        "function",
        "Every grid on every language model: nominal bits, true rate of the quantized layers, bits "
        "of the whole model over its parameters, error of weights and of the layers' outputs over "
        "their variance, perplexity, KL divergence, and share of tokens with the float model's "
        "likeliest.",
        "appendix",
        ("function",),
        (EVALUATIONS,),
        _all_points,
        (
            *_POINT,
            Number("model_bits_per_parameter", "whole", "bit", 2),
            Number("nmse", "weights"),
            Number("output_nmse", "outputs"),
            Number("perplexity", "perplexity"),
            Number("mean_kl", "KL", "nat"),
            Number("top1_agreement", "top-1", "", 3),
        ),
    ),
    PrintedTable(
        "embeddings",
        "function",
        "Sentence encoders with all linear layers quantized: mean cosine to the float embedding "
        "of held-out sentences, squared error, and share of the ten nearest neighbours that stay.",
        "appendix",
        ("function", "encoders"),
        (EMBEDDINGS,),
        _embeddings,
        (
            *_POINT,
            Number("cosine", "cosine", "", 4),
            Number("embedding_mse", "MSE"),
            Number("neighbour_overlap", "neighbours", "", 3),
        ),
    ),
    PrintedTable(
        "robustness_lines",
        "function",
        "Perplexity by precision on every line.",
        "appendix",
        ("robustness",),
        (ROBUSTNESS,),
        _all_lines,
        (Text("model", "model"), Text("line", "line"), *_MEANS),
    ),
)
