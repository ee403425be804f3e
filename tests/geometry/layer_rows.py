"""Made-up measurements of layers of trained models, of the default study's size."""

import numpy as np

from qatlas.geometry.layers.corrections import CORRECTIONS

# Blocks of each model, and the layers of a block: kind, outputs, inputs.
ATTENTION = [(f"attention_{part}", 256, 256) for part in "qkvo"]
MODELS = {
    "minilm": (6, [*ATTENTION, ("mlp_fc1", 1024, 256), ("mlp_fc2", 256, 1024)]),
    "llama": (3, [*ATTENTION, ("mlp_gate", 384, 256), ("mlp_down", 256, 384)]),
    "mamba": (3, [("linear", 1024, 256), ("linear", 256, 512)]),
    "resnet_bk": (4, [("mlp_fc1", 512, 256), ("mlp_fc2", 256, 512), ("linear", 64, 256)]),
}


def layer_rows(settings):
    """Rows of every table of layers, by its name."""
    random = np.random.default_rng(0)
    rows = {
        f"layer_{name}": []
        for name in (
            *("spectra", "eigenvalues", "supports", "flips", "shares", "corrections", "growths"),
        )
    }
    for model, (blocks, layers) in MODELS.items():
        for block in range(blocks):
            for number, (kind, outputs, inputs) in enumerate(layers):
                named = {"model": model, "tensor": f"layers.{block}.{number}", "kind": kind}
                named["layer"] = block
                of_layer(rows, named, outputs, inputs, settings, random)
            for bits in settings.bits:
                error = 2.0**-bits * (1 + block / 3)
                seen = {"model": model, "block": block + 1, "bits": bits}
                seen |= {"measured": error, "first_order": 0.9 * error, "unexplained": 4 * error}
                rows["layer_growths"].append(seen)
                if model != "mamba":
                    parts = dict.fromkeys(("units", "hidden", "output"), error / 10)
                    seen = {"model": model, "layer": block, "bits": bits, **parts}
                    rows["layer_shares"].append(seen | {"tokens": 0.9, "interference": 0.01})
    return rows


def of_layer(rows, named, outputs, inputs, settings, random):
    """Add the rows of one layer."""
    dimension = 20 * np.exp(0.3 * random.standard_normal())
    for source, generators in (("inputs", inputs), ("weights", inputs * outputs)):
        law = np.sqrt(generators)
        extents = {"ratio": law, "lowest": 0.8 * law, "highest": 1.1 * law, "law": law}
        seen = {"source": source, "generators": generators, "directions": 256, **extents}
        rows["layer_supports"].append(named | seen)
    for rank in (1, 2, 4, 8, 16, 32, 64):
        share = 0.2 * rank**-1.2
        seen = {"bits": settings.correction_bits, "rank": rank, "measured": share, "drawn": share}
        rows["layer_eigenvalues"].append(named | seen)
    for bits in settings.bits:
        error = 2.0**-bits
        rows["layer_spectra"].append(
            {
                **named,
                **{"bits": bits, "outputs": outputs, "inputs": inputs, "tokens": 1536},
                **{"input_participation": dimension, "participation": dimension},
                **{"entropy_dimension": 2 * dimension, "cell_participation": outputs * 0.9},
                **{"predicted_participation": 1.05 * dimension, "rms": error},
                **{"predicted_rms": error, "mean_share": 0.1},
            }
        )
        for scope, larger in (("alone", 1), ("model", 2)):
            ratio = larger * error * np.exp(0.3 * random.standard_normal())
            rate = np.arctan(ratio) / np.pi
            laws = dict.fromkeys(("flip_rate", "law", "law_by_unit", "law_with_means"), rate)
            activated = named["kind"] in ("mlp_fc1", "mlp_gate")
            seen = {"bits": bits, "scope": scope, "activated": activated}
            rows["layer_flips"].append(named | seen | laws | {"error_over_signal": ratio})
    for scope in ("alone", "model"):
        for number, correction in enumerate(CORRECTIONS):
            seen = {"bits": settings.correction_bits, "scope": scope, "correction": correction}
            held_out = 0.1 * number - (correction == "full") * (scope == "model")
            shares = {"relative_error": 0.1, "fitted": 0.15 * number, "held_out": held_out}
            size = {"outputs": outputs, "inputs": inputs}
            rows["layer_corrections"].append(named | seen | size | shares)
