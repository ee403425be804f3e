"""Made-up tables of the chapter, of the default study's size."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from qatlas.config.loading import load
from qatlas.function.quantization import Point
from qatlas.function.schema import EMBEDDINGS, EVALUATIONS, LAYERS, POSITIONS, SENSITIVITIES
from qatlas.models.schema import LOSSES
from qatlas.tables import read_table, write_table

STUDY = load(yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text()))
SETTINGS = STUDY.function
KINDS = ("attention_q", "attention_k", "attention_v", "attention_o", "mlp_up", "mlp_down")
FLOATS = ("float32", "bfloat16", "float16")


def points():
    """Every point of the study, in the order of the configuration."""
    for dtype in FLOATS:
        yield Point(dtype, "cast", {"dtype": dtype})
    for series, grid in STUDY.function_grids().items():
        yield from (Point(series, grid.codec, point) for point in grid.points())


def filled(table, /, **values):
    """A row with nothing, or 0, where no value is given."""
    empty = {"text": "", "integer": 0, "number": 0.0}
    return {column.name: empty[column.type] for column in table.columns} | values


def evaluations():
    random = np.random.default_rng(0)
    for place, (model, described) in enumerate(SETTINGS.models.items()):
        for seed in described.seeds:
            for number, point in enumerate(points()):
                if seed and number > 6:
                    continue
                key = point.key()
                bits = key["nominal_bits"]
                exact = point.series == "float32"
                nmse = 0.0 if exact else (1 + number / 20) * 4.0**-bits
                error = 30 * nmse * np.exp(0.3 * random.standard_normal())
                nll = 3.6 + 0.3 * place + 0.02 * seed + error
                yield filled(
                    EVALUATIONS,
                    **{"model": model, "seed": seed, **key, "weights": 1000},
                    **{"rate_bits_per_weight": bits + 0.1, "mse": nmse, "nmse": nmse},
                    **{"output_nmse": nmse / 2, "nll": nll, "perplexity": np.exp(nll)},
                    **{"bits_per_byte": nll / 2, "logits_mse": error, "mean_kl": error / 3},
                )


def layers():
    for model in SETTINGS.models:
        for number, point in enumerate(points()):
            for layer in range(3):
                key = point.key()
                error = (1 + number / 20 + layer / 10) * 4.0 ** -key["nominal_bits"]
                yield filled(
                    LAYERS,
                    **{"model": model, **key, "tensor": f"layers.{layer}", "layer": layer},
                    **{"output_nmse": error, "bias_corrected_output_nmse": error * 0.9},
                )


def sensitivities():
    bits = SETTINGS.sensitivity.bits[0]
    for model in SETTINGS.models:
        for layer in range(3):
            for place, kind in enumerate(KINDS):
                yield filled(
                    SENSITIVITIES,
                    **{"model": model, "series": SETTINGS.sensitivity.series},
                    **{"codec": "uniform", "nominal_bits": bits, "kind": kind, "layer": layer},
                    **{"tensor": f"layers.{layer}.{kind}", "mean_kl": 1e-3 * (1 + place + layer)},
                    **{"logits_mse": 1e-3 * (1 + place)},
                )


def positions():
    for place, model in enumerate(SETTINGS.models):
        for point in points():
            key = point.key()
            for position in range(1, 256):
                error = 10 * 4.0 ** -key["nominal_bits"] * position**0.2 * (1 + place)
                yield filled(
                    POSITIONS, **{"model": model, **key, "position": position, "logits_mse": error}
                )


def embeddings():
    for model in SETTINGS.encoders.models:
        for name in SETTINGS.encoders.series:
            grid = STUDY.codecs[name]
            for parameters in grid.points():
                key = Point(name, grid.codec, parameters).key()
                error = 4.0 ** -key["nominal_bits"] * (1 + len(name) / 20)
                yield filled(
                    EMBEDDINGS,
                    **{"model": model, **key, "rate_bits_per_weight": key["nominal_bits"] + 0.2},
                    **{"embedding_mse": error / 10, "cosine": 1 - error / 2},
                    neighbour_overlap=1 / (1 + 20 * error),
                )


def losses():
    for place, model in enumerate(SETTINGS.models):
        for seed in range(3):
            for step in range(0, 1601, 200):
                nll = 3.5 + 0.3 * place + 0.01 * seed + 4 * np.exp(-step / 150)
                yield filled(
                    LOSSES,
                    **{"architecture": model, "seed": seed, "step": step, "tokens": 2048 * step},
                    validation_nll=nll,
                )


@pytest.fixture(scope="session")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("function-tables")
    made = {
        EVALUATIONS: evaluations,
        LAYERS: layers,
        SENSITIVITIES: sensitivities,
        POSITIONS: positions,
        EMBEDDINGS: embeddings,
        LOSSES: losses,
    }
    for kind, rows in made.items():
        write_table(pd.DataFrame(rows()), kind, folder / kind.name)
    return {kind.name: read_table(kind, folder / kind.name) for kind in made}
