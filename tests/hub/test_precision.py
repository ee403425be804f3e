"""Models as the hub has them are stored in bfloat16."""

import numpy as np
import pytest
import torch

from qatlas.function.calibration import gather
from qatlas.function.evaluation import Calibrated, Reading, evaluate_points
from qatlas.function.quantization import Point, model_bits
from qatlas.models.layers import linear_layers
from qatlas.models.reading import open_language_model
from qatlas.models.windows import Text, Windows
from tests.hub.repositories import VOCABULARY, llama


@pytest.fixture(scope="module")
def model(folders):
    return open_language_model(folders["llama"]).model


def test_what_is_stored_in_bfloat16_is_computed_in_float32_and_counted_as_stored(model):
    parameters = dict(llama(0).named_parameters())
    assert {parameter.dtype for parameter in parameters.values()} == {torch.bfloat16}
    for name, parameter in model.named_parameters():
        assert parameter.dtype == torch.float32
        assert torch.equal(parameter, parameters[name].float())
    assert model_bits(model, []) == 16 * sum(p.numel() for p in parameters.values())


def test_eight_bits_are_told_from_the_precision_of_bfloat16(model):
    given = np.random.default_rng(1).integers(2, VOCABULARY, (16, 32))
    moments = dict(gather(model, linear_layers(model, ()), given, 4, "cpu", 1 << 30, iter))
    text = Text(given.ravel(), np.ones(VOCABULARY, np.int64))
    point = Point("channel", "uniform", {"bits": 8, "granularity": "channel"})
    found = evaluate_points(
        Calibrated("llama", 0, model, (), moments),
        [point],
        Reading(text, Windows(32, 32), 4, "cpu"),
        0,
        iter,
    )
    kl = {row["series"]: row["mean_kl"] for row in found.evaluations}
    assert kl["float32"] == 0
    assert 0 < kl["float16"] < kl["bfloat16"]
    assert kl["channel"] > 0
