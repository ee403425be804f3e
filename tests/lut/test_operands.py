import numpy as np
import pytest
import torch

from qatlas.errors import AtlasError
from qatlas.lut.multipliers import multiplier_table
from qatlas.lut.operand_counts import (
    LARGEST,
    LayerOperands,
    operands_of_rows,
    rows_of_operands,
)
from qatlas.lut.operands import count_operands
from qatlas.lut.pairs import model_pairs, places_of, uniform_pairs
from qatlas.lut.product_table import encoded_table
from qatlas.lut.schema import OPERANDS
from qatlas.models.layers import linear_layers
from qatlas.tables import read_table, write_table
from tests.models.tiny import chain_text, tiny_llama

BINS = 2 * LARGEST + 1


@pytest.fixture(scope="module")
def model():
    return tiny_llama()


@pytest.fixture(scope="module")
def counted(model):
    tokens = chain_text(96).tokens.reshape(3, 32)
    return list(count_operands(model, linear_layers(model, ()), [tokens[:2], tokens[2:]], list))


def counts_of(values):
    """Counts of shares of the largest magnitude."""
    places = np.rint(np.asarray(values) * LARGEST).astype(int) + LARGEST
    return np.bincount(places, minlength=BINS)


def test_every_activation_and_weight_is_counted_once(model, counted):
    layers = linear_layers(model, ())
    assert [found.tensor for found in counted] == [layer.tensor for layer in layers]
    for found, layer in zip(counted, layers, strict=True):
        assert found.multiplications == found.weights.sum() == layer.weight.numel()
        assert found.activations.sum() == 96 * layer.weight.shape[1]


def test_the_largest_magnitude_is_the_largest_number(counted):
    for found in counted:
        for counts in (found.activations, found.weights):
            assert counts.size == BINS
            assert counts[0] + counts[-1] > 0


def test_weights_are_counted_at_their_share_of_the_largest(model, counted):
    layer = linear_layers(model, ())[3]
    weight = layer.weight.double().numpy()
    expected = counts_of(weight.ravel() / np.abs(weight).max())
    assert (counted[3].weights == expected).all()


def test_counts_do_not_depend_on_how_the_text_is_batched(model, counted):
    tokens = chain_text(96).tokens.reshape(3, 32)
    again = list(count_operands(model, linear_layers(model, ()), [tokens], list))
    first, second = (rows_of_operands("tiny", part) for part in (counted, again))
    assert first["count"].sum() == second["count"].sum()
    spread = [
        np.abs(a.activations - b.activations).sum() for a, b in zip(counted, again, strict=True)
    ]
    # Sums of a batch may be rounded otherwise, which moves what lies between two numbers.
    assert max(spread) <= 0.01 * 96 * 48


def test_counts_are_read_back_as_they_were_written(counted, tmp_path):
    path = tmp_path / "operands.parquet"
    write_table(rows_of_operands("tiny", counted), OPERANDS, path)
    found = operands_of_rows(read_table(OPERANDS, path))
    assert list(found) == ["tiny"]
    for one, other in zip(found["tiny"], counted, strict=True):
        assert (one.tensor, one.multiplications) == (other.tensor, other.multiplications)
        assert (one.activations == other.activations).all()
        assert (one.weights == other.weights).all()


def test_a_layer_without_a_scale_is_refused():
    model = tiny_llama()
    layer = linear_layers(model, ())[0]
    layer.write(torch.zeros_like(layer.weight))
    tokens = chain_text(32).tokens.reshape(1, 32)
    with pytest.raises(AtlasError, match=rf"{layer.tensor}.*function\.keep"):
        list(count_operands(model, [layer], [tokens], list))


def test_operands_go_to_the_nearest_level():
    table = encoded_table("signed_ext", 5, 2.0)
    layer = LayerOperands("w", 10, counts_of([1, 0.26, -0.2, -1]), counts_of([1, 1, 0.5, 0.5]))
    pairs = model_pairs(table, [layer])
    # Levels are -2, -1, 0, 1, 2: shares of the range -1, -0.5, 0, 0.5, 1.
    activations, weights = [0.25, 0, 0.25, 0.25, 0.25], [0, 0, 0, 0.5, 0.5]
    assert pairs == pytest.approx(np.multiply.outer(activations, weights))


def test_layers_count_by_their_multiplications():
    table = encoded_table("signed_ext", 3, 1.0)
    layers = [
        LayerOperands("a", 30, counts_of([1]), counts_of([1])),
        LayerOperands("b", 10, counts_of([-1]), counts_of([0])),
    ]
    pairs = model_pairs(table, layers)
    assert pairs[2, 2] == pytest.approx(0.75)
    assert pairs[0, 1] == pytest.approx(0.25)


def test_a_table_without_a_sign_multiplies_magnitudes():
    layer = LayerOperands("w", 1, counts_of([-1, 1, 0]), counts_of([-1]))
    pairs = model_pairs(multiplier_table("mitchell8"), [layer])
    assert pairs[255, 255] == pytest.approx(2 / 3)
    assert pairs[0, 255] == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", ["float8_e4m3", "lns8"])
def test_the_nearest_level_is_nearest_where_levels_are_not_evenly_spaced(name):
    levels = multiplier_table(name).levels
    values = np.arange(-LARGEST, LARGEST + 1) / LARGEST * levels[-1]
    found = np.abs(levels[places_of(levels)] - values)
    assert (found == np.abs(levels[:, None] - values).min(axis=0)).all()


def test_uniform_pairs_are_all_alike():
    pairs = uniform_pairs(encoded_table("signed_ext", 4, 1.0))
    assert pairs.sum() == pytest.approx(1)
    assert len(np.unique(pairs)) == 1
