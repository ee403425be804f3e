from functools import partial

import numpy as np
import pytest
import torch

from qatlas.errors import AtlasError
from qatlas.lut.language_models.evaluation import (
    Reading,
    Scaling,
    Subject,
    measure,
    with_table,
)
from qatlas.lut.language_models.levels import levels_of, on_levels, rounding, row_scales
from qatlas.lut.language_models.linear import TableLinear, by_table, require_used
from qatlas.lut.language_models.multipliers import (
    ACCUMULATORS,
    TableProducts,
    TrueProducts,
    table_products,
)
from qatlas.lut.language_models.points import Point
from qatlas.lut.language_models.stages import ACCUMULATE, ENCODE, EXACT, NEAREST, PRODUCT
from qatlas.lut.matrix_product.accumulators import INT32
from qatlas.lut.product_table import encoded_table
from qatlas.lut.schema import TABLE_MODELS
from qatlas.models.architectures.build import ARCHITECTURES, build
from qatlas.models.layers import linear_layers
from qatlas.models.windows import Text, Windows
from qatlas.tables import read_table, write_table

KEEP = ("*.dt_proj.weight",)
SCALING = Scaling(1.0, "channel", "token")
TOKENS = np.random.default_rng(0).integers(0, 64, 96).astype(np.uint32)
READING = Reading(Text(TOKENS, np.ones(64, np.int64)), Windows(32, 32), 2)
every_architecture = pytest.mark.parametrize("architecture", ARCHITECTURES)


@pytest.fixture(scope="module")
def subjects():
    def sharper(name):
        """Untrained, but with weights large enough that what layers do matters."""
        model = build(name, 64, 32, seed=0).eval()
        for layer in linear_layers(model, KEEP):
            layer.write(3 * layer.weight)
        return Subject(name, 0, model, KEEP)

    return {name: sharper(name) for name in ARCHITECTURES}


def logits(model):
    with torch.inference_mode():
        return model(input_ids=torch.from_numpy(TOKENS[None, :32].astype(np.int64))).logits


def point(stage, encoding, size, accumulator=EXACT, method=NEAREST):
    return Point(stage, encoding, size, method, accumulator)


def linear_of(weight, bias, table, multiplier):
    levels = levels_of(table)
    nearest = rounding("nearest", np.random.default_rng(0))
    encode = partial(on_levels, levels=levels, largest=row_scales, round_to=nearest)
    return TableLinear(encode(weight.double().numpy()), bias, encode, multiplier)


def test_true_products_of_many_levels_are_the_layer_itself():
    torch.manual_seed(0)
    layer = torch.nn.Linear(48, 20)
    table = encoded_table("signed_ext", 4096, 1.0)
    found = linear_of(layer.weight.detach(), layer.bias, table, TrueProducts.of(table))
    inputs = torch.randn(2, 5, 48)
    expected = layer(inputs).detach()
    assert found(inputs).shape == expected.shape
    assert found(inputs).dtype == inputs.dtype
    assert (found(inputs) - expected).abs().max() < 2e-3


def test_tokens_and_channels_of_zeros_give_the_bias():
    torch.manual_seed(0)
    weight, bias = torch.randn(3, 8), torch.tensor([1.0, 2.0, 3.0])
    weight[1] = 0
    table = encoded_table("signed_ext", 16, 1.0)
    linear = linear_of(weight, bias, table, TrueProducts.of(table))
    np.testing.assert_array_equal(linear(torch.zeros(1, 8)), [[1, 2, 3]])
    assert linear(torch.randn(1, 8))[0, 1] == 2


def test_a_table_of_true_products_gives_the_sums_of_true_products():
    levels = encoded_table("signed_ext", 32, 1.0)
    true = TrueProducts.of(levels)
    multiples = true.multiples.astype(np.int64)
    table = TableProducts(np.multiply.outer(multiples, multiples), true.step**2, INT32)
    random = np.random.default_rng(0)
    a = random.integers(0, 32, (4, 50)).astype(np.uint8)
    b = random.integers(0, 32, (50, 6)).astype(np.uint8)
    np.testing.assert_array_equal(table(a, b), true(a, b))
    by_float = levels.levels[a] @ levels.levels[b]
    np.testing.assert_allclose(true(a, b), by_float, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("encoding", ["signed_ext", "signed_log"])
@pytest.mark.parametrize("accumulator", ACCUMULATORS)
def test_every_accumulator_adds_the_products_of_the_table(encoding, accumulator):
    table = encoded_table(encoding, 64, 1.0)
    random = np.random.default_rng(0)
    a = random.integers(0, 64, (3, 12)).astype(np.uint8)
    b = random.integers(0, 64, (12, 7)).astype(np.uint8)
    found = table_products(table, accumulator, 12)(a, b)
    products = table.products[a[:, :, None], b]
    if accumulator in ("range", "range_x4"):
        limit = {"range": 1, "range_x4": 4}[accumulator]
        expected = np.zeros((3, 7))
        for k in range(12):
            expected = np.clip(expected + products[:, k], -limit, limit)
    else:
        expected = products.sum(1)
    # On a grid of 1 / 2^11 of the range where sums have 16 bits.
    atol = 12 * 2.0**-12 if (encoding, accumulator) == ("signed_log", "int16") else 1e-5
    np.testing.assert_allclose(found, expected, atol=atol, rtol=0)


def test_an_accumulator_of_another_name_is_refused():
    with pytest.raises(AtlasError, match="accumulator 'flot32': did you mean 'float32'"):
        table_products(encoded_table("signed_ext", 16, 1.0), "flot32", 4)


@every_architecture
def test_many_levels_and_true_products_reproduce_the_model(architecture, subjects):
    subject = subjects[architecture]
    expected = logits(subject.model)
    fine = logits(with_table(subject, point(ENCODE, EXACT, 4096), SCALING, 1))
    coarse = logits(with_table(subject, point(ENCODE, EXACT, 4), SCALING, 1))
    spread = expected.std()
    assert (fine - expected).std() < 0.01 * spread
    assert (coarse - expected).std() > 0.1 * spread


@every_architecture
def test_every_layer_multiplies_by_table_but_those_that_are_kept(architecture, subjects):
    subject = subjects[architecture]
    changed = with_table(subject, point(PRODUCT, "signed_log", 16), SCALING, 1)
    names = [layer.tensor.removesuffix(".weight") for layer in linear_layers(subject.model, KEEP)]
    modules = dict(changed.named_modules())
    assert names
    assert all(isinstance(modules[name], TableLinear) for name in names)
    assert sum(isinstance(module, TableLinear) for module in modules.values()) == len(names)
    before = logits(changed)
    assert [modules[name].calls for name in names] == [1] * len(names)
    # Each layer alone: its products reach the output.
    for name in names:
        kept = modules[name]
        kept._scales = kept._scales * 1.5
        assert not torch.equal(logits(changed), before), name
        kept._scales = kept._scales / 1.5


def test_a_layer_that_is_never_called_is_noticed(subjects):
    changed = with_table(subjects["llama"], point(ENCODE, EXACT, 16), SCALING, 1)
    with pytest.raises(AtlasError, match=r"never called it.*\.weight to function.keep"):
        require_used(changed)
    logits(changed)
    require_used(changed)


def test_a_model_is_left_as_it_was(subjects):
    subject = subjects["resnet_bk"]
    before = logits(subject.model)
    by_table(subject.model, KEEP, lambda layer: torch.nn.Identity())
    assert torch.equal(logits(subject.model), before)


def test_rows_are_the_same_twice_and_each_stage_is_less_exact_than_the_last(subjects, tmp_path):
    points = [
        point(ENCODE, EXACT, 256),
        point(PRODUCT, "signed_ext", 256),
        point(ACCUMULATE, "signed_ext", 256, "range"),
        point(ENCODE, EXACT, 16, method="stochastic"),
        point(PRODUCT, "float8_e4m3", 253),
    ]
    rows = measure(subjects["llama"], points, SCALING, READING, 1, iter)
    assert rows == measure(subjects["llama"], points, SCALING, READING, 1, iter)
    kl = [row["mean_kl"] for row in rows]
    assert kl[0] == 0
    assert 0 < kl[2] < kl[3] < kl[4]
    path = tmp_path / "rows.parquet"
    write_table(rows, TABLE_MODELS, path)
    assert read_table(TABLE_MODELS, path).stage.tolist()[:2] == ["float", "noise"]


def test_with_a_scale_a_token_the_batch_changes_nothing(subjects):
    alone = Reading(READING.text, READING.windows, 1)
    points = [point(PRODUCT, "signed_log", 16)]
    one, many = (measure(subjects["mamba"], points, SCALING, r, 1, iter) for r in (alone, READING))
    assert one[2]["nll"] == pytest.approx(many[2]["nll"], rel=1e-6)
