"""The views of the page: what is drawn against what."""

from qatlas.family_curves import LONGEST_STEP_BITS
from qatlas.function.figures.perplexity_vs_rate import WORST
from qatlas.paper.explorer.content import Quantity, View
from qatlas.rate_distortion.drawing import NMSE, RATE
from qatlas.rate_distortion.figures.gap_to_empirical import HIGHEST_GAP

_RATE = "rate_bits_per_weight"
_HIGHEST_NMSE = 2.0
"""Codecs above lose more than the weights are."""
_STANDING = "The best of each family stands out, all else is pale."

RATE_DISTORTION = View(
    name="rate-distortion",
    title="Rate and distortion",
    note="Error of the weights against the bits that are really stored, everything charged. "
    f"Dashed: no codec of independent weights lies below its bound. {_STANDING}",
    dataset="weights",
    x=_RATE,
    x_label=RATE,
    quantities=(Quantity("nmse", NMSE, "log", ceiling=_HIGHEST_NMSE),),
    longest_step=LONGEST_STEP_BITS,
)
GAP = View(
    name="gap",
    title="Gap to the bound",
    note="Bits that are stored beyond the least any code of that error needs; the bound is the "
    f"line at zero. {_STANDING}",
    dataset="weights",
    x=_RATE,
    x_label=RATE,
    quantities=tuple(
        Quantity(
            f"gap_{bound}_bits",
            f"gap to the {words} (bits per weight)",
            level=words,
            ceiling=HIGHEST_GAP,
        )
        for bound, words in {
            "empirical": "empirical bound",
            "shannon": "Gaussian Shannon bound",
            "channel_variance": "bound of Gaussian channels",
        }.items()
    ),
    longest_step=LONGEST_STEP_BITS,
)
PERPLEXITY = View(
    name="perplexity",
    title="Perplexity",
    note="What language models lose with all linear layers quantized, against the bits that these "
    "really take: the first training of each model. The best of a family is that of least KL to "
    "the model itself.",
    dataset="outputs",
    x=_RATE,
    x_label=RATE,
    quantities=(
        Quantity("perplexity", "perplexity", "log", ceiling_over_level=WORST),
        Quantity("mean_kl", "mean KL to the model itself (nats)", "log"),
    ),
    longest_step=LONGEST_STEP_BITS,
)
GROWTH = View(
    name="growth",
    title="Errors of look-up",
    note="Errors of chains and dot products whose multiplier is a table, by the number of steps. "
    "Nearest look-up stands out, other methods are pale; dashed, the slopes of a random walk and "
    "of a bias.",
    dataset="growth",
    x="at",
    x_label="steps",
    quantities=(
        Quantity("rms_error", "RMS error", "log"),
        Quantity("mean_absolute_error", "mean |error|", "log"),
    ),
    x_axis="log",
)
VIEWS = (RATE_DISTORTION, GAP, PERPLEXITY, GROWTH)
"""In the order of the page; those whose rows a study lacks are left out."""
