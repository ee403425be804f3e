import copy
import math
import weakref

import numpy as np
import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from qatlas.codecs.registry import create
from qatlas.errors import AtlasError
from qatlas.function.calibration import Moments, gather, read_moments, write_moments
from qatlas.function.evaluation import Calibrated, Reading, evaluate_points
from qatlas.function.quantization import Point, quantize_layers, with_weights
from qatlas.function.schema import EVALUATIONS, LAYERS, POSITIONS, SENSITIVITIES
from qatlas.function.sensitivity import sensitivities
from qatlas.models.architectures.build import build
from qatlas.models.layers import linear_layers
from qatlas.models.likelihood import evaluate
from qatlas.models.windows import Windows
from qatlas.tables import read_table, write_table
from tests.models.tiny import chain_text, tiny_llama

FOUR_BITS = Point("channel", "uniform", {"bits": 4, "granularity": "channel"})
EIGHT_BITS = Point("channel", "uniform", {"bits": 8, "granularity": "channel"})
GPTQ = Point("gptq", "gptq", {"bits": 3})


def sequences(model, number=6, length=32):
    random = np.random.default_rng(1)
    return random.integers(0, model.config.vocab_size, (number, length))


def moments_of(model, keep=(), most_bytes=1 << 30, number=6):
    given = sequences(model, number)
    return dict(gather(model, linear_layers(model, keep), given, 4, "cpu", most_bytes, iter))


def calibrated(model, keep=()):
    return Calibrated("tiny", 7, model, keep, moments_of(model, keep))


def reading(tokens=300):
    return Reading(chain_text(tokens, seed=2), Windows(24, 24), 4, "cpu")


def tiny_gpt2():
    torch.manual_seed(0)
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=64, n_positions=64, n_embd=32, n_layer=2, n_head=4)
    ).eval()


def test_moments_are_those_of_what_a_layer_is_given():
    model = tiny_llama()
    layer = linear_layers(model, ())[5]
    given = []
    hook = layer.module.register_forward_pre_hook(lambda _, x: given.append(x[0].detach()))
    with torch.inference_mode():
        model(input_ids=torch.from_numpy(sequences(model)))
    hook.remove()
    x = given[0].flatten(0, 1).double()
    found = moments_of(model)[layer.tensor]
    torch.testing.assert_close(found.second, x.T @ x / len(x), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(found.mean, x.mean(0), rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(found.covariance, torch.cov(x.T, correction=0), rtol=1e-4, atol=1e-7)


def test_moments_do_not_depend_on_how_many_passes_their_memory_allows():
    model = tiny_llama()
    passes = []
    given = sequences(model)

    def counted(names):
        passes.extend(names)
        return names

    found = dict(gather(model, linear_layers(model, ()), given, 4, "cpu", 1, counted))
    assert len(passes) == len(linear_layers(model, ()))
    for tensor, expected in moments_of(model).items():
        assert torch.equal(found[tensor].second, expected.second)


def test_moments_are_read_as_they_were_written(tmp_path):
    found, path = moments_of(tiny_llama()), tmp_path / "moments.npz"
    write_moments(found.items(), path)
    again = read_moments(path)
    assert again.keys() == found.keys()
    for tensor, expected in found.items():
        assert torch.equal(again[tensor].second, expected.second)
        assert torch.equal(again[tensor].mean, expected.mean)
    with pytest.raises(KeyError):
        again["another.weight"]
    first = path.read_bytes()
    write_moments(found.items(), path)
    assert path.read_bytes() == first


def test_moments_are_written_without_being_held_together(tmp_path):
    alive = []

    def made():
        for number in range(5):
            found = Moments(torch.eye(3), torch.ones(3))
            alive.append(weakref.ref(found))
            yield f"layer{number}.weight", found
            assert sum(reference() is not None for reference in alive) <= 2

    write_moments(made(), tmp_path / "moments.npz")
    assert len(read_moments(tmp_path / "moments.npz")) == 5


def test_damaged_moments_are_refused(tmp_path):
    found, path = moments_of(tiny_llama()), tmp_path / "moments.npz"
    write_moments(found.items(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(AtlasError, match="not moments of inputs"):
        read_moments(path)
    changed = bytearray(whole)
    changed[500] ^= 1
    path.write_bytes(changed)
    again = read_moments(path)
    with pytest.raises(AtlasError, match="not moments of inputs"):
        again[next(iter(again))]


def test_a_layer_that_is_given_nothing_is_named():
    model = tiny_llama()
    model.unused = torch.nn.Linear(4, 4)
    with pytest.raises(AtlasError, match=r"unused\.weight: the layer was given nothing"):
        moments_of(model)
    assert moments_of(model, keep=("unused.*",))


def test_linear_layers_are_all_but_the_head_and_what_is_kept():
    model = build("mamba", 64, 32, 0)
    names = {
        layer.tensor.rsplit(".", 2)[1] for layer in linear_layers(model, ("*.dt_proj.weight",))
    }
    assert names == {"in_proj", "x_proj", "out_proj"}
    with pytest.raises(AtlasError, match="no linear layer is left"):
        linear_layers(model, ("*",))


def test_weights_that_lie_the_other_way_are_written_where_they_lie():
    model = tiny_gpt2()
    layers = linear_layers(model, ())
    assert layers[0].weight.shape == (96, 32)
    quantized = quantize_layers(layers, create("cast", dtype="float32"), moments_of(model), 0, "m")
    same = with_weights(model, quantized)
    for before, after in zip(model.parameters(), same.parameters(), strict=True):
        assert torch.equal(before, after)
    changed = with_weights(model, quantize_layers(layers, GPTQ.create(), moments_of(model), 0, "m"))
    expected = copy.deepcopy(model)
    expected.transformer.h[0].attn.c_attn.weight.data = changed.transformer.h[0].attn.c_attn.weight
    assert not torch.equal(
        expected.transformer.h[0].attn.c_attn.weight, model.transformer.h[0].attn.c_attn.weight
    )


def test_the_float_model_loses_nothing_and_the_perplexity_is_that_of_the_changed_model(tmp_path):
    model = tiny_llama(spread=0.4)
    found = evaluate_points(calibrated(model), [FOUR_BITS, EIGHT_BITS], reading(), 3, iter)
    for kind, rows in (
        (EVALUATIONS, found.evaluations),
        (POSITIONS, found.positions),
        (LAYERS, found.layers),
    ):
        write_table(rows, kind, tmp_path / f"{kind.name}.parquet")
    rows = read_table(EVALUATIONS, tmp_path / "evaluations.parquet").set_index(
        ["series", "nominal_bits"]
    )
    reference = rows.loc[("float32", 32)]
    assert (reference.mean_kl, reference.logits_mse, reference.mse) == (0, 0, 0)
    assert reference.model_bits_per_parameter == reference.rate_bits_per_weight == 32
    text = reading()
    expected = evaluate(model, text.text, text.windows, 4, "cpu")
    assert reference.perplexity == pytest.approx(expected.perplexity, rel=1e-9)
    assert rows.loc[("bfloat16", 16)].mean_kl > 0

    quantized = list(
        quantize_layers(linear_layers(model, ()), FOUR_BITS.create(), moments_of(model), 3, "tiny")
    )
    changed = with_weights(model, quantized)
    four = rows.loc[("channel", 4)]
    expected = evaluate(changed, text.text, text.windows, 4, "cpu")
    assert four.perplexity == pytest.approx(expected.perplexity, rel=1e-9)
    weights = sum(layer.weight.numel() for layer in linear_layers(model, ()))
    bits = sum(sum(layer.encoded.bits().values()) for layer in quantized)
    kept = sum(p.numel() for p in model.parameters()) - weights
    assert four.rate_bits_per_weight == bits / weights
    assert four.model_bits_per_parameter == pytest.approx((bits + 32 * kept) / (weights + kept))
    assert four.mean_kl > rows.loc[("channel", 8)].mean_kl > 0
    assert four.output_nmse > rows.loc[("channel", 8)].output_nmse > 0


def test_error_compensation_lowers_the_output_error_and_no_bias_raises_it():
    model = tiny_llama(spread=0.4)
    plain = Point("plain", "uniform", {"bits": 3, "grid": "asymmetric", "granularity": "channel"})
    rows = evaluate_points(calibrated(model), [plain, GPTQ], reading(), 3, iter).layers
    error = {
        series: sum(row["output_mse"] for row in rows if row["series"] == series)
        for series in ("plain", "gptq")
    }
    assert error["gptq"] < error["plain"]
    for row in rows:
        assert row["bias_corrected_output_nmse"] <= row["output_nmse"] * (1 + 1e-9)
        assert row["output_gap_bits"] is None or math.isfinite(row["output_gap_bits"])


def test_sensitivity_quantizes_one_layer_at_a_time(tmp_path):
    model = tiny_llama(spread=0.4)
    rows = sensitivities(calibrated(model), [FOUR_BITS], reading(), 3, iter)
    write_table(rows, SENSITIVITIES, tmp_path / "sensitivities.parquet")
    assert [row["tensor"] for row in rows] == [layer.tensor for layer in linear_layers(model, ())]
    layer = linear_layers(model, ())[3]
    (quantized,) = quantize_layers([layer], FOUR_BITS.create(), moments_of(model), 3, "tiny")
    text = reading()
    alone = evaluate(with_weights(model, [quantized]), text.text, text.windows, 4, "cpu")
    itself = evaluate(model, text.text, text.windows, 4, "cpu")
    assert rows[3]["nll_increase"] == pytest.approx(alone.nll - itself.nll, abs=1e-9)
    assert all(row["mean_kl"] > 0 for row in rows)


def test_moments_have_the_covariance_of_their_definition():
    second = torch.tensor([[5.0, 2.0], [2.0, 4.0]])
    found = Moments(second, torch.tensor([1.0, 2.0])).covariance
    assert found.tolist() == [[4.0, 0.0], [0.0, 0.0]]
