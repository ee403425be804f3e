"""Ensembles of chains and dot products by look-up."""

import ml_dtypes
import numpy as np
import pytest
from pydantic import ValidationError

from qatlas.config.lut import Encoding, Lut
from qatlas.config.lut_simulations import Simulations
from qatlas.errors import AtlasError
from qatlas.lut.look_up import definition
from qatlas.lut.look_up.definition import METHODS, look_up_in
from qatlas.lut.look_up.vectorised import products
from qatlas.lut.product_table import encoded_table
from qatlas.lut.simulation.draws import draw
from qatlas.lut.simulation.growth import growth, resamples
from qatlas.lut.simulation.kernels import chained_products, dot_products
from qatlas.lut.simulation.moments import moments
from qatlas.lut.simulation.plot_names import PlotName, drawn_plots, parse_plot_name
from qatlas.lut.simulation.references import chains, dot_operands, saturating_sums
from qatlas.lut.simulation.run import FIXED_GRID
from qatlas.lut.simulation.schema import TABLES
from qatlas.lut.simulation.study import simulate_study
from qatlas.tables import read_table, write_table

SMALL = Lut(
    sizes=(4, 16),
    encodings=("signed_ext", "unsigned"),
    simulations={
        "steps": 64,
        "batch": [16],
        "seeds": 60,
        "comparison": {"ranges": [0.5, 2.0], "sizes": [16]},
        "drawn": {"encodings": ["signed_ext"], "sizes": [16], "methods": ["nearest"]},
    },
)


@pytest.fixture(scope="module")
def rows():
    return simulate_study(SMALL, 7, lambda groups: groups)


def test_fewer_trajectories_and_steps_are_the_beginning_of_more():
    few, many = draw(3, 4, 10), draw(3, 9, 25)
    np.testing.assert_array_equal(few.starts, many.starts[:4])
    np.testing.assert_array_equal(few.operands, many.operands[:4, :10])
    np.testing.assert_array_equal(few.roundings, many.roundings[:4, :10])


@pytest.mark.parametrize("method", sorted(METHODS.values()))
def test_compiled_chains_are_the_definition_step_by_step(method):
    table = look_up_in(encoded_table("signed_log", 32, 2.0))
    draws = draw(1, 11, 40)
    chain = chains(draws, 2.0, "float16")
    recorded = np.arange(1, 41)
    values, counts = chained_products(
        table, method, chain.starts, chain.factors, draws.roundings, recorded
    )
    for n in range(11):
        value, standing = chain.starts[n], 0
        for step in range(40):
            before = value
            value = definition.product(
                table, method, value, chain.factors[n, step], *draws.roundings[n, step]
            )
            standing += value == before
            assert value == values[n, step]
        assert counts[n, -1, 2] == standing


@pytest.mark.parametrize("method", sorted(METHODS.values()))
def test_compiled_dot_products_are_sums_of_vectorised_products(method):
    table = look_up_in(encoded_table("signed_ext", 64, 2.0))
    draws = draw(1, 5, 30)
    operands = dot_operands(draws, 2.0)
    a, b = map(np.ascontiguousarray, (operands.a, operands.b))
    _, errors, _ = dot_products(table, method, a, b, draws.roundings, np.array([30]))
    first, second = draws.roundings[:, :, 0], draws.roundings[:, :, 1]
    expected = (products(table, method, a, b, first, second) - a * b).sum(axis=1)
    np.testing.assert_allclose(errors[:, 0], expected, atol=1e-12)


def test_references_are_those_of_ml_dtypes():
    draws = draw(2, 3, 50)
    chain = chains(draws, 2.0, "float8")
    kind = ml_dtypes.float8_e4m3fn
    for n in range(3):
        value = kind(chain.starts[n])
        for step in range(50):
            value = kind(float(value) * float(kind(chain.factors[n, step])))
            assert float(value) == chain.reference[n, step]
    expected = chain.starts * np.prod(chain.factors, axis=1)
    np.testing.assert_allclose(chain.exact[:, -1], expected, rtol=1e-12)


def test_a_chain_hardly_leaves_the_range_and_sums_never_do():
    draws = draw(2, 200, 500)
    # A value v of at most c R has a product of at most 1.1 c R, scaled to 0.9 R + 0.11 c R.
    highest = 2.0 * 0.9 / (1 - 0.11)
    assert 2.0 < np.abs(chains(draws, 2.0, "float64").exact).max() <= highest
    sums = saturating_sums(dot_operands(draws, 2.0), 2.0, "float16")
    assert np.abs(sums).max() == 2.0


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("encoding", ["signed_ext", "signed_log", "unsigned"])
def test_moments_of_a_product_are_those_of_a_sample(encoding, method):
    table = look_up_in(encoded_table(encoding, 16, 2.0))
    random = np.random.default_rng(5)
    n = 400_000
    a, b = random.uniform(-1, 1, (2, n))
    errors = products(table, METHODS[method], a, b, *random.random((2, n))) - a * b
    found = moments(table, METHODS[method], 1.0)
    assert found.deviation == pytest.approx(errors.std(), rel=0.02)
    assert found.bias == pytest.approx(errors.mean(), abs=5 * errors.std() / np.sqrt(n))


def test_growth_of_a_biased_random_walk_follows_the_laws():
    random = np.random.default_rng(0)
    steps = np.unique(np.rint(np.geomspace(1, 1024, 25)).astype(int))
    walk = np.cumsum(random.normal(0.1, 1.0, (1000, 1024)), axis=1)[:, steps - 1]
    found = growth(walk, steps, resamples(0, 1000))
    assert found.deviation_slope.low < 0.5 < found.deviation_slope.high
    assert found.bias_slope.value == pytest.approx(1, abs=0.05)
    assert found.crossover.low < 100 < found.crossover.high
    level = growth(walk - walk.mean(axis=0), steps, resamples(0, 1000))
    assert np.isnan(level.bias_slope.value)
    assert np.isnan(level.crossover.value)


def test_rows_fit_their_tables_and_hold_every_variant(rows, tmp_path):
    for kind in TABLES:
        path = tmp_path / f"{kind.name}.parquet"
        write_table(getattr(rows, kind.name), kind, path)
        assert len(read_table(kind, path)) == len(getattr(rows, kind.name))
    main = [r for r in rows.simulations if r["range"] == 2.0]
    # Encodings, sizes, methods, operations, references and numbers of steps.
    assert len(main) == 2 * 2 * 3 * 2 * 4 * 2
    assert {r["range"] for r in rows.simulations} == {0.5, 2.0}
    grid = [r for r in rows.growth if r["table"] == FIXED_GRID and r["method"] == "stochastic"]
    assert all(r["predicted_ratio"] == pytest.approx(np.sqrt(2)) for r in grid)


def test_the_same_seed_gives_the_same_rows(rows):
    again = simulate_study(SMALL, 7, lambda groups: groups)
    assert again == rows


def test_every_configured_encoding_and_method_can_be_simulated():
    assert set(Encoding.__args__) >= set(SMALL.simulated_encodings)
    assert set(Simulations().methods) == set(METHODS)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"operations": ["dot", "matmul"]}, "matmul is dot"),
        ({"methods": ["nearst"]}, "methods"),
        ({"references": ["float12"]}, "references"),
        ({"steps": 0}, "steps"),
        ({"seeds": 1}, "seeds"),
        ({"steps": 50}, "batch: 100 is more than steps"),
        ({"sizes": [1]}, "sizes"),
        ({"encodings": ["signed_exp"]}, "signed_exp is not one of"),
        ({"references": ["float64"]}, "shown_reference is float16"),
        ({"comparison": {"ranges": [0.0]}}, "ranges"),
        ({"comparison": {"ranges": [64.0]}}, "overflows float8"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_its_key(wrong, said):
    with pytest.raises(ValidationError, match=said):
        Lut(simulations=wrong)


def test_matmul_is_a_dot_product():
    assert Simulations(operations=("matmul",)).operations == ("dot",)


def test_the_path_of_a_plot_says_what_it_shows():
    for steps in (None, 16):
        for name in drawn_plots(SMALL, steps):
            assert parse_plot_name(name.path, SMALL) == name
    path = PlotName("dot", "unsigned", 16, "bilinear").path
    assert path == "results/lut/figures/4bit/dot_plot_unsigned_16_bilinear.pdf"
    for wrong, said in (
        (path.replace("bilinear", "bilinar"), "did you mean 'bilinear'"),
        (path.replace("_16_", "_32_"), "lut.simulations.sizes"),
        (path.replace("4bit", "5bit"), "goes by the name"),
        (path.replace("dot_plot", "line_plot"), "not the name of a plot"),
    ):
        with pytest.raises(AtlasError, match=said):
            parse_plot_name(wrong, SMALL)
