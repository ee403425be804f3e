"""Layers of small models with random weights."""

import numpy as np
import pytest
from pydantic import ValidationError

from qatlas.config.geometry_layers import Layers
from qatlas.errors import AtlasError
from qatlas.geometry.layers.capture import Batch, blocks_of, capture, windows
from qatlas.geometry.layers.corrections import CORRECTIONS, recovered
from qatlas.geometry.layers.depth import first_order, growth
from qatlas.geometry.layers.measure import ReadModel, measure
from qatlas.geometry.layers.rounding import moved, round_layers
from qatlas.geometry.layers.schema import TABLES
from qatlas.geometry.layers.shares import mlps
from qatlas.models.layers import linear_layers
from qatlas.tables import read_table, write_table

torch = pytest.importorskip("torch")
VOCABULARY = 64
SETTINGS = Layers(
    language_models=("small",), bits=(4, 8), directions=8, clusters=2, tokens=128, batch=2
)


@pytest.fixture(scope="module")
def read():
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=16,
            intermediate_size=24,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=2,
            initializer_range=0.2,
        )
    )
    tokens = np.random.default_rng(0).integers(0, VOCABULARY, 128)
    return ReadModel("small", model, linear_layers(model, ()), windows(tokens, 32, 2))


@pytest.fixture(scope="module")
def rows(read):
    return measure(read, SETTINGS, 1, iter)


def test_what_is_kept_is_what_layers_are_given_and_give(read):
    seen = capture(read.model, read.layers, blocks_of(read.model, read.layers), read.batches)
    assert len(seen.blocks) == 2
    for layer in read.layers:
        x, y = seen.inputs[layer.tensor], seen.outputs[layer.tensor]
        assert len(x) == len(y) == 128
        np.testing.assert_allclose(x @ layer.weight.numpy().T, y, atol=1e-5)
    with torch.inference_mode():
        states = read.model(torch.from_numpy(read.batches[0].tokens), output_hidden_states=True)
    first = states.hidden_states[1].flatten(0, 1).numpy()
    np.testing.assert_allclose(seen.blocks[0][: len(first)], first, atol=1e-5)


def test_padding_is_left_out(read):
    tokens = read.batches[0].tokens[:1]
    padded = Batch(
        np.concatenate([tokens, np.zeros((1, 5), np.int64)], axis=1),
        np.arange(tokens.shape[1] + 5)[None] < tokens.shape[1],
    )
    blocks = blocks_of(read.model, read.layers)
    found = capture(read.model, (), blocks, [padded]).blocks[-1]
    alone = capture(read.model, (), blocks, [Batch(tokens, np.ones(tokens.shape, bool))]).blocks[-1]
    np.testing.assert_allclose(found, alone, atol=1e-5)


def test_errors_of_weights_lie_in_their_cells_and_weights_come_back(read):
    before = [layer.weight.clone() for layer in read.layers]
    rounded = round_layers(read.layers, 4)
    for found in rounded:
        reach = np.abs(found.error).max(axis=1)
        assert (reach <= found.steps / 2 * (1 + 5e-3)).all()
        assert reach.max() > 0
    with moved(rounded, 1):
        now = rounded[0].layer.weight.double().numpy()
        np.testing.assert_allclose(now, before[0].double().numpy() + rounded[0].error, atol=1e-6)
    assert all(torch.equal(a, layer.weight) for a, layer in zip(before, read.layers, strict=True))


def test_weights_come_back_even_if_the_model_fails(read):
    before = read.layers[0].weight.clone()
    with pytest.raises(ZeroDivisionError), moved(round_layers(read.layers, 4), 1):
        raise ZeroDivisionError
    assert torch.equal(before, read.layers[0].weight)


def test_the_first_order_error_is_the_derivative_that_autograd_gives(read):
    rounded = round_layers(read.layers, 4)
    blocks = blocks_of(read.model, read.layers)
    found = first_order(read.model, rounded, blocks, read.batches[:1])[-1]
    tangents = {r.layer.tensor: torch.from_numpy(r.error).float() for r in rounded}
    tokens = torch.from_numpy(read.batches[0].tokens)

    def last_block(weights):
        seen = []
        hook = blocks[-1].register_forward_hook(
            lambda module, given, result: seen.append(
                result[0] if isinstance(result, tuple) else result
            )
        )
        torch.func.functional_call(read.model, weights, (tokens,), {"use_cache": False})
        hook.remove()
        return seen[0].flatten(0, 1)

    weights = {r.layer.tensor: r.layer.weight for r in rounded}
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        _, expected = torch.func.jvp(last_block, (weights,), (tangents,))
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=0.02 * np.abs(found).max())


def test_growth_of_an_error_that_is_of_first_order_is_explained():
    random = np.random.default_rng(0)
    exact, error = random.standard_normal((2, 30, 4)).astype(np.float32)
    found = growth(exact, exact + error, error)
    assert found.measured == pytest.approx(found.first_order, rel=1e-4)
    assert found.unexplained < 1e-5
    assert np.isnan(growth(exact, exact, 0 * error).unexplained)


def test_mlps_are_found_by_the_kinds_of_their_layers(read):
    found = list(mlps(read.layers))
    assert [mlp.gate.role.kind for mlp in found] == ["mlp_gate", "mlp_gate"]
    assert [mlp.down.weight.shape for mlp in found] == [(16, 24), (16, 24)]


def test_tables_are_filled(rows, read, tmp_path):
    layers, widths = len(read.layers), 2
    expected = {"layer_spectra": layers * widths, "layer_flips": 2 * layers * widths}
    for kind in TABLES:
        write_table(rows[kind.name], kind, tmp_path / kind.name)
        found = read_table(kind, tmp_path / kind.name)
        assert len(found) == expected.get(kind.name, len(found)) > 0
        assert set(found.model) == {"small"}


def test_a_layer_alone_with_no_fewer_outputs_than_inputs_is_recovered_whole(rows):
    full = [
        row
        for row in rows["layer_corrections"]
        if row["scope"] == "alone"
        and row["correction"] == "full"
        and row["outputs"] >= row["inputs"]
    ]
    assert full
    assert min(row["held_out"] for row in full) > 0.999


def test_measured_errors_are_as_large_as_the_cells_predict(rows):
    ratio = [row["rms"] / row["predicted_rms"] for row in rows["layer_spectra"]]
    assert np.median(ratio) == pytest.approx(1, abs=0.1)


def test_a_full_map_is_left_out_where_tokens_are_few():
    random = np.random.default_rng(0)
    exact = random.standard_normal((40, 12))
    quantized = exact + 0.1 * random.standard_normal((40, 12))
    found = {r.correction for r in recovered(exact, quantized, 2, random)}
    assert found == {*CORRECTIONS} - {"full", "ridge"}


def test_clusters_recover_an_offset_of_each():
    random = np.random.default_rng(0)
    side = np.repeat([-5.0, 5.0], 100)[:, None]
    exact = side + random.standard_normal((200, 3))
    found = {r.correction: r for r in recovered(exact, exact - side / 10, 2, random)}
    assert found["bias"].held_out < 0.1
    assert found["clusters_bias"].held_out > 0.999


def test_bad_settings_and_texts_are_refused():
    with pytest.raises(AtlasError, match="3 tokens, fewer than one context of 8"):
        windows(np.arange(3), 8, 1)
    with pytest.raises(AtlasError, match="numbered block: found no layer"):
        blocks_of(None, [])
    for given, message in (
        ({"language_models": ["a"], "bits": [4, 4]}, "give every width once"),
        ({"language_models": ["a"], "correction_bits": 5}, "not among bits"),
        ({"language_models": ["a"], "encoders": ["a"]}, "a is a name of both"),
        ({}, "both empty"),
    ):
        with pytest.raises(ValidationError, match=message):
            Layers(**given)
