"""Random numbers in the place of perplexities, to lay a figure out before anything is measured."""

import numpy as np
import pandas as pd

BIT_WIDTHS = (32, 16, 8, 4, 2)
LINE = "simulated"

_FACTORS = {
    "resnet_bk": (1.0, 1.01, 1.04, 1.12, 1.5),
    "mamba": (1.0, 1.03, 1.15, 6.5, 15.0),
}
_AT_32 = {"resnet_bk": 30.0, "mamba": 32.0}
_NOISE = {"resnet_bk": 0.5, "mamba": 2.0}


def simulated(seed: int = 42) -> pd.DataFrame:
    """Made-up rows of the table ROBUSTNESS: a perplexity at 32 bits times factors, and noise.

    Parameters
    ----------
    seed
        Of the noise, which starts anew for every model. Seed 42 gives the figures known from
        elsewhere, hence the generator that drew those.
    """
    return pd.DataFrame(
        [
            {
                "model": model,
                "line": LINE,
                "bit_width": bits,
                "seed": seed,
                "perplexity": perplexity,
                "source": "simulated",
            }
            for model in _FACTORS
            for bits, perplexity in zip(BIT_WIDTHS, _perplexities(model, seed), strict=True)
        ]
    )


def _perplexities(model: str, seed: int) -> list[float]:
    means = _AT_32[model] * np.array(_FACTORS[model])
    noise = np.random.RandomState(seed).normal(0, _NOISE[model], len(means))
    return [float(perplexity) for perplexity in means + noise]
