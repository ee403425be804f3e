"""What is found and drawn of language models by table, from made-up measurements."""

from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from qatlas.config.loading import load
from qatlas.errors import AtlasError
from qatlas.lut.findings.models import find_models, parts_of_kl, smallest_size
from qatlas.lut.language_models.points import further_points, points_of_every_model
from qatlas.lut.language_models.stages import ENCODE, EXACT, FLOAT, NOISE, PRODUCT
from qatlas.lut.schema import TABLE_MODELS
from qatlas.plotting import FULL_WIDTH
from qatlas.summary import Summary
from qatlas.tables import write_table
from tests.drawn_text import boxes, collisions, outside

GIVEN = yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text())
SETTINGS = load(GIVEN).lut
ITSELF = 80.0
FIGURES = ("perplexity_vs_table", "table_error_split")
every_figure = pytest.mark.parametrize("name", FIGURES)


def row(model, stage, encoding=EXACT, size=0, method="none", accumulator=EXACT, error=0.0):
    empty = {"text": "", "integer": 0, "number": 0.0}
    nll = np.log(ITSELF) + error
    return {column.name: empty[column.type] for column in TABLE_MODELS.columns} | {
        **{"model": model, "stage": stage, "encoding": encoding, "size": size, "method": method},
        **{"accumulator": accumulator, "bits": int(np.ceil(np.log2(size))) if size else 32},
        **{"nll": nll, "perplexity": np.exp(nll), "mean_kl": abs(error)},
    }


def error_of(point):
    """Operands err by their step, products of even codes four times as much as others."""
    error = 40.0 * point.size**-2.0
    if point.stage != ENCODE:
        error *= 1 + {"signed_ext": 16}.get(point.encoding, 1)
    return error * {"range": 300, "range_x4": 30}.get(point.accumulator, 1)


@pytest.fixture(scope="module")
def tables():
    section = SETTINGS.language_models
    rows = []
    for place, model in enumerate(section.models):
        points = [*points_of_every_model(section), *([] if place else further_points(section))]
        rows += [row(model, FLOAT), row(model, NOISE, error=1e-4)]
        rows += [
            row(model, p.stage, p.encoding, p.size, p.method, p.accumulator, error_of(p))
            for p in points
        ]
    return {"table_models": pd.DataFrame(rows)}


@pytest.fixture(scope="module")
def summary(tables):
    found = find_models(tables, SETTINGS)
    return Summary(chapter="lut", values=found.values, claims=found.claims)


def drawn_by(name, tables):
    module = import_module(f"qatlas.lut.figures.{name}")
    return module.draw(module.select(tables, SETTINGS))


def test_made_up_rows_are_those_of_the_table(tables, tmp_path):
    write_table(tables["table_models"], TABLE_MODELS, tmp_path / "rows.parquet")


def test_every_model_has_every_encoding_and_the_first_also_accumulators(tables):
    rows = tables["table_models"]
    section = SETTINGS.language_models
    for model in section.models:
        encoded = rows[(rows.model == model) & (rows.stage == PRODUCT) & (rows.method == "nearest")]
        assert len(encoded) == len(section.sizes) * len(section.encodings) + len(
            section.multipliers
        )
    assert set(rows[rows.accumulator != EXACT].model) == {section.models[0]}
    assert not rows.duplicated(
        ["model", "stage", "encoding", "size", "method", "accumulator"]
    ).any()


def test_the_smallest_table_is_the_least_from_which_on_all_keep_within_the_tolerance():
    def table(**perplexities):
        sizes = [int(size[1:]) for size in perplexities]
        return pd.DataFrame({"size": sizes, "perplexity": list(perplexities.values())})

    assert smallest_size(table(s8=200.0, s16=104.9, s32=100.0), 100.0) == 16
    assert smallest_size(table(s8=99.0, s16=120.0, s32=101.0), 100.0) == 32
    assert smallest_size(table(s8=99.0), 100.0) == 8
    assert smallest_size(table(s8=99.0, s16=105.1), 100.0) is None


def test_parts_add_up_to_the_divergence(tables):
    rows = tables["table_models"]
    rows = rows[rows.model == "llama"]
    parts = parts_of_kl(rows)
    key = ["encoding", "size", "method", "accumulator"]
    rows = rows[~rows.encoding.isin(SETTINGS.language_models.multipliers)]
    whole = rows[rows.stage.isin([PRODUCT, "accumulate"])].set_index(key).mean_kl
    added = parts.set_index(key)[["encode", "product", "accumulate"]].sum(axis=1)
    assert len(parts) == len(whole)
    pd.testing.assert_series_equal(added.sort_index(), whole.sort_index(), check_names=False)
    even = parts.set_index(key).loc[("signed_ext", 256, "nearest", "range")]
    step = 40 / 256**2
    np.testing.assert_allclose([even.encode, even["product"]], [step, 16 * step])
    np.testing.assert_allclose(even.accumulate, 17 * 299 * step)


def test_claims_follow_the_measurements(tables, summary):
    claim = summary.claims["models.llama.a_table_keeps_perplexity"]
    assert claim.holds is True
    assert "64 levels, encoding signed_asinh" in claim.text
    np.testing.assert_allclose(claim.value, 100 * (np.exp(80 / 64**2) - 1))
    assert summary["models.llama.smallest_table.signed_ext"].value == 128
    assert summary.claims["models.mamba.logarithmic_products_diverge_less"].holds is True

    worse = tables["table_models"].copy()
    worse.loc[worse.stage == PRODUCT, "perplexity"] = 2 * ITSELF
    worse.loc[worse.encoding == "signed_log", "mean_kl"] = 50.0
    found = find_models({"table_models": worse}, SETTINGS)
    claim = found.claims["models.llama.a_table_keeps_perplexity"]
    assert claim.holds is False
    assert "none does" in claim.text
    np.testing.assert_allclose(claim.value, 100)
    assert found.values["models.llama.smallest_table.signed_ext"].value is None
    assert found.claims["models.mamba.logarithmic_products_diverge_less"].holds is False


@every_figure
def test_all_text_lies_inside_the_figure_and_none_on_another(name, tables):
    figure = drawn_by(name, tables)
    drawn = boxes(figure)
    assert figure.get_figwidth() == FULL_WIDTH
    assert outside(figure, drawn) == []
    assert collisions(drawn) == []


@every_figure
def test_a_caption_states_what_the_summary_holds(name, summary):
    module = import_module(f"qatlas.lut.figures.{name}")
    said = module.caption(summary, SETTINGS)
    assert said.endswith(".")
    assert "not measured" not in said


@every_figure
def test_a_study_of_one_model_without_accumulators_is_drawn(name, tables):
    rows = tables["table_models"]
    rows = rows[(rows.model == "llama") & (rows.accumulator == EXACT)]
    drawn_by(name, {"table_models": rows[rows.method != "stochastic"]})


WRONG = {
    "no such model": ({"models": ["lama"]}, "lut.language_models.models: nothing is called 'lama'"),
    "unsigned": ({"encodings": ["unsigned"]}, r"lut.language_models.encodings.0: .*'signed_ext'"),
    "no levels below 0": ({"multipliers": ["mitchell8"]}, "lut.language_models.multipliers.0"),
    "too large": ({"sizes": [8192]}, "lut.language_models.sizes.0: .*4096; found 8192"),
    "twice": ({"sizes": [8, 8]}, r"lut.language_models.sizes: found \[8, 8\]; give every one once"),
    "no range": ({"range": float("inf")}, "lut.language_models.range: .*finite"),
    "accumulator": ({"accumulators": ["int8"]}, "lut.language_models.accumulators.0: .*'int16'"),
    "size of sums": ({"accumulated": [9]}, "accumulated: 9 is not among sizes"),
    "size at random": ({"stochastic": [512]}, "stochastic: 512 is not among sizes"),
    "less than a window": ({"tokens": 200}, "tokens: found 200, less than one window of text.cont"),
    "unknown": ({"token": 3}, "lut.language_models.token: there is no such key; did you mean"),
}


@pytest.mark.parametrize(("change", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_configuration_is_refused_with_its_key(change, message):
    section = GIVEN["lut"] | {"language_models": GIVEN["lut"]["language_models"] | change}
    with pytest.raises(AtlasError, match=message):
        load(GIVEN | {"lut": section})


def test_language_models_need_the_chapter_that_names_them():
    given = {key: value for key, value in GIVEN.items() if key not in ("function", "robustness")}
    given["lut"] = GIVEN["lut"] | {"operands": None}
    with pytest.raises(AtlasError, match=r"lut.language_models.models: nothing is called 'llama'"):
        load(given)
