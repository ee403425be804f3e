import numpy as np
import pandas as pd
import pytest
from scipy import stats

from qatlas.function.first_seed import of_first_seed
from qatlas.function.proxies import OUTPUT, proxy
from qatlas.function.robustness.measured import measured
from qatlas.function.summary import summarize
from tests.function.conftest import SETTINGS, STUDY


def test_the_first_training_is_the_one_with_all_points(tables):
    rows = of_first_seed(tables["evaluations"])
    assert set(rows.seed) == {0}
    assert len(rows) == sum(
        (tables["evaluations"].model == m).sum() for m in SETTINGS.models
    ) - 14 * len(SETTINGS.models)
    alike = tables["evaluations"].assign(seed=5)
    assert set(of_first_seed(alike).seed) == {5}


def test_a_proxy_has_scipys_coefficients_and_an_interval_around_them(tables):
    rows = of_first_seed(tables["evaluations"])
    rows = rows[rows.model == "llama"]
    found = proxy(rows, "nmse", seed=1)
    lossy = rows[rows.nmse > 0]
    x, y = np.log10(lossy.nmse), np.log10(lossy[OUTPUT])
    assert found.points == len(lossy) == len(rows) - 1
    assert found.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic)
    assert found.spearman.value == pytest.approx(stats.spearmanr(lossy.nmse, y).statistic)
    for coefficient in (found.pearson, found.spearman):
        assert coefficient.low <= coefficient.value <= coefficient.high
        assert coefficient.p < 1e-6
    assert proxy(rows, "nmse", seed=1) == found
    assert proxy(rows.head(4), "nmse", seed=1) is None


def test_claims_follow_the_numbers(tables):
    evaluations = tables["evaluations"].copy()
    nf4 = evaluations.series == "nf4"
    fp4 = evaluations.series == "fp4_bitsandbytes"
    for factor, holds in ((0.5, True), (2.0, False)):
        changed = evaluations.copy()
        changed.loc[fp4, "mean_kl"] = 0.01
        changed.loc[nf4, "mean_kl"] = 0.01 * factor
        claims = summarize(tables | {"evaluations": changed}, 1).claims
        assert claims["llama.nf4_beats_fp4"].holds is holds
        assert claims["llama.nf4_beats_fp4"].value == pytest.approx(100 * (1 - factor))
    without = summarize(tables | {"evaluations": evaluations[~nf4]}, 1).claims
    assert without["llama.nf4_beats_fp4"].holds == "not_measured"

    layers = tables["layers"].copy()
    layers.loc[layers.series == "gptq_channel", "output_nmse"] /= 10
    assert (
        summarize(tables | {"layers": layers}, 1)
        .claims["llama.feedback_lowers_the_output_error"]
        .holds
    )
    layers.loc[layers.series == "gptq_channel", "output_nmse"] *= 100
    assert (
        not summarize(tables | {"layers": layers}, 1)
        .claims["llama.feedback_lowers_the_output_error"]
        .holds
    )


def test_values_are_those_of_the_tables(tables):
    found = summarize(tables, 1)
    rows = tables["evaluations"]
    mine = rows[(rows.model == "mamba") & (rows.series == "float32")]
    reference = found["mamba.reference.perplexity"]
    assert reference.value == pytest.approx(mine.perplexity.mean())
    assert reference.high - reference.value == pytest.approx(mine.perplexity.std())
    point = rows[(rows.model == "mamba") & (rows.series == "nf4") & (rows.seed == 0)]
    assert found["mamba.nf4.4bit.mean_kl"].value == point.mean_kl.iloc[0]
    alone = tables["sensitivities"]
    together = rows[
        (rows.model == "mamba")
        & (rows.series == SETTINGS.sensitivity.series)
        & (rows.nominal_bits == 4)
        & (rows.seed == 0)
    ]
    assert found["mamba.linearity.4bit.mean_kl"].value == pytest.approx(
        alone[alone.model == "mamba"].mean_kl.sum() / together.mean_kl.iloc[0]
    )


def test_the_robustness_graph_has_a_row_for_every_line_precision_and_training(tables):
    section = STUDY.robustness
    rows = measured(tables["evaluations"], section.lines, section.bit_widths)
    first = rows[rows.seed == 0]
    assert len(first) == len(SETTINGS.models) * len(section.lines) * len(section.bit_widths)
    assert set(rows.source) == {"measured"}
    evaluations = tables["evaluations"]
    expected = evaluations[
        (evaluations.series == section.lines["gptq"])
        & (evaluations.nominal_bits == 4)
        & (evaluations.model == "llama")
    ]
    found = rows[(rows.line == "gptq") & (rows.bit_width == 4) & (rows.model == "llama")]
    assert found.perplexity.tolist() == expected.perplexity.tolist()
    at_32 = rows[(rows.bit_width == 32) & (rows.model == "llama") & (rows.seed == 1)]
    assert at_32.perplexity.nunique() == 1
    assert pd.unique(at_32.line).tolist() == [*section.lines]
