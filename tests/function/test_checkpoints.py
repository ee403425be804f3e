"""Quantized checkpoints of a trained model, beside it."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from qatlas.errors import AtlasError
from qatlas.function.calibration import gather
from qatlas.function.checkpoints import evaluate_checkpoint
from qatlas.function.evaluation import Calibrated, Reading
from qatlas.function.figures import FIGURES
from qatlas.function.schema import EVALUATIONS, LAYERS, POSITIONS
from qatlas.function.summary import summarize
from qatlas.models.architectures.build import load
from qatlas.models.layers import linear_layers
from qatlas.models.likelihood import evaluate
from qatlas.models.prequantized.opening import open_prequantized
from qatlas.models.windows import Text, Windows
from qatlas.tables import read_table, write_table
from tests.drawn_text import boxes, outside
from tests.function.conftest import SETTINGS, filled
from tests.function.test_figures import drawn_by
from tests.models.packers import (
    compressed,
    compressed_config,
    gptq,
    gptq_config,
    only_tensors,
    write_checkpoint,
)

MODELS = Path(__file__).parents[2] / "resources/models"
WINDOWS = Windows(64, 64)


def reading():
    tokens = np.random.default_rng(2).integers(0, 2048, 256)
    return Reading(Text(tokens, np.ones(2048, np.int64)), WINDOWS, 4, "cpu")


@pytest.fixture(scope="module")
def base():
    model = load(MODELS / "llama-0")
    given = np.random.default_rng(1).integers(0, 2048, (16, 64))
    moments = dict(gather(model, linear_layers(model, ()), given, 4, "cpu", 1 << 30, iter))
    return Calibrated("llama", 0, model, (), moments)


def written(found, folder):
    """Rows as tables have them, so that every row fits its schema."""
    kinds = {EVALUATIONS: found.evaluations, POSITIONS: found.positions, LAYERS: found.layers}
    for kind, rows in kinds.items():
        write_table(rows, kind, folder / f"{kind.name}.parquet")
    return {kind.name: read_table(kind, folder / f"{kind.name}.parquet") for kind in kinds}


def test_a_checkpoint_is_one_more_row_of_its_base(base, tmp_path):
    described = gptq_config(4, "gptq", group_size=32, desc_act=False)
    quantize = gptq(4, 32, "gptq")
    tensors = write_checkpoint(tmp_path, base.model, only_tensors(quantize), described)
    checkpoint = open_prequantized(tmp_path, "theirs")
    found = written(evaluate_checkpoint(base, checkpoint, reading()), tmp_path)
    (row,) = found["evaluations"].to_dict("records")
    assert (row["model"], row["seed"], row["series"]) == ("llama", 0, "theirs")
    assert (row["codec"], row["nominal_bits"]) == ("checkpoint_gptq", 4)
    assert json.loads(row["parameters"]) == described

    changed = load(MODELS / "llama-0")
    kept = [p for name, p in changed.named_parameters() if name in tensors]
    with torch.no_grad():
        for layer in linear_layers(changed, ()):
            layer.write(quantize(layer.weight)[1])
        for parameter in kept:
            parameter.copy_(parameter.half())
    text = reading()
    expected = evaluate(changed, text.text, text.windows, 4, "cpu")
    assert row["perplexity"] == pytest.approx(expected.perplexity, rel=1e-6)
    assert row["mean_kl"] > 0

    weights = sum(layer.weight.numel() for layer in base.layers)
    stored = 8 * sum(tensor.nbytes for tensor in tensors.values())
    kept_bits = 16 * sum(parameter.numel() for parameter in kept)
    assert row["rate_bits_per_weight"] == (stored - kept_bits) / weights
    parameters = sum(parameter.numel() for parameter in base.model.parameters())
    assert row["model_bits_per_parameter"] == stored / parameters
    layers = found["layers"]
    assert len(layers) == len(base.layers)
    assert layers.nmse.between(1e-4, 0.1).all()
    assert row["output_nmse"] == pytest.approx(layers.output_nmse.mean())
    assert len(found["positions"]) == WINDOWS.context - 1


def test_where_scales_moved_into_norms_only_the_output_is_compared(base, tmp_path, caplog):
    moved = load(MODELS / "llama-0")
    with torch.no_grad():
        for block in moved.model.layers:
            scale = torch.linspace(0.5, 2, 256)
            block.input_layernorm.weight /= scale
            for name in ("q_proj", "k_proj", "v_proj"):
                getattr(block.self_attn, name).weight *= scale
    quantize = only_tensors(compressed(8, 32))
    write_checkpoint(tmp_path, moved, quantize, compressed_config(8), torch.float32)
    checkpoint = open_prequantized(tmp_path, "theirs")
    found = written(evaluate_checkpoint(base, checkpoint, reading()), tmp_path)
    (row,) = found["evaluations"].to_dict("records")
    assert row["mean_kl"] < 1e-3
    assert np.isnan([row["mse"], row["nmse"], row["output_nmse"]]).all()
    assert len(found["layers"]) == 0
    assert "input_layernorm.weight among them" in caplog.text


def test_the_checkpoint_of_another_training_is_refused(base, tmp_path):
    other = load(MODELS / "llama-1")
    write_checkpoint(tmp_path, other, only_tensors(gptq(4, 32)), gptq_config(4))
    checkpoint = open_prequantized(tmp_path, "theirs")
    with pytest.raises(AtlasError, match=r"embed_tokens\.weight .* is not that of llama"):
        evaluate_checkpoint(base, checkpoint, reading())


@pytest.fixture
def with_checkpoints(tables):
    """Tables with a checkpoint whose errors of weights are known, and one where they are not."""
    model = next(iter(SETTINGS.models))
    rows = [
        filled(
            EVALUATIONS,
            **{"model": model, "series": series, "codec": "checkpoint_awq", "nominal_bits": 4.0},
            **{"weights": 1000, "rate_bits_per_weight": 4.3, "mse": nmse, "nmse": nmse},
            **{"output_nmse": nmse, "nll": 3.7, "perplexity": 40.0, "logits_mse": 0.1},
            **{"mean_kl": 0.03, "seed": SETTINGS.models[model].seeds[0]},
        )
        for series, nmse in (("theirs", 0.01), ("moved", float("nan")))
    ]
    evaluations = pd.concat([tables["evaluations"], pd.DataFrame(rows)], ignore_index=True)
    return tables | {"evaluations": evaluations}


def test_the_summary_takes_checkpoints(with_checkpoints):
    model = next(iter(SETTINGS.models))
    summary = summarize(with_checkpoints, 0)
    assert summary[f"{model}.moved.4bit.mean_kl"].value == 0.03
    assert summary[f"{model}.moved.4bit.output_nmse"].value is None


@pytest.mark.parametrize("name", FIGURES)
def test_figures_take_checkpoints(name, with_checkpoints):
    figure = drawn_by(name, with_checkpoints)
    assert outside(figure, boxes(figure)) == []
