"""Rows of the table of robustness, made by hand."""

import numpy as np
import pandas as pd

SOURCE = "measured"


def rows_of(perplexities, line="by_channel", seed=0, source=SOURCE):
    """A row for every model and bit width of ``{model: {bits: perplexity}}``."""
    return pd.DataFrame(
        [
            {
                **{"model": model, "line": line, "bit_width": bits, "seed": seed},
                **{"perplexity": float(perplexity), "source": source},
            }
            for model, at in perplexities.items()
            for bits, perplexity in at.items()
        ]
    )


def seeds_of(model, line="by_channel", **at):
    """Rows of one model, ``b4=[...]`` being its perplexities at 4 bits, one a seed."""
    return pd.concat(
        [
            rows_of({model: {int(bits[1:]): perplexity}}, line, seed)
            for bits, perplexities in at.items()
            for seed, perplexity in enumerate(perplexities)
        ],
        ignore_index=True,
    )


FACTORS = {
    "by_tensor": (1, 1, 1.03, 2.2, 300),
    "by_channel": (1, 1, 1.005, 1.14, 6),
    "group_64": (1, 1, 1.004, 1.09, 3.1),
    "gptq": (1, 1, 1.003, 1.05, 1.9),
}


def realistic():
    """Three models, four lines and three seeds; one model explodes at 2 bits, once to infinity."""
    random = np.random.default_rng(1)
    found = []
    for model, at_32, harm in (("resnet_bk", 38, 0.8), ("mamba", 33, 1.6), ("llama", 31, 1.0)):
        for seed in range(3):
            for line, factors in FACTORS.items():
                noise = 1 + 0.02 * random.normal(size=5)
                values = at_32 * np.array(factors) ** harm * noise
                if model == "mamba":
                    values[-1] *= np.inf if line == "by_tensor" else 80
                at = dict(zip((32, 16, 8, 4, 2), values, strict=True))
                found.append(rows_of({model: at}, line, seed))
    return pd.concat(found, ignore_index=True)
