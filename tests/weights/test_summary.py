import numpy as np
import pandas as pd
import pytest
import torch

from qatlas.summary import Summary
from qatlas.weights.describe import describe
from qatlas.weights.figures import kurtosis, weight_distribution
from qatlas.weights.matrices import Matrix
from qatlas.weights.summary import summarize


def matrices(student_t_layers):
    """A model of two layers and an embedding, and a sampled one without layers."""
    draws = np.random.default_rng(1)
    kinds = [("mlp_fc1", 0), ("mlp_fc2", 1), ("embedding", None)]
    for kind, layer in kinds:
        heavy = layer in student_t_layers
        weight = draws.standard_t(4, (64, 96)) if heavy else draws.uniform(-1, 1, (64, 96))
        yield Matrix("trained", f"{kind}.weight", kind, layer, torch.from_numpy(weight))
    weight = torch.from_numpy(draws.standard_normal((64, 96)))
    yield Matrix("sampled", "weight", "linear", None, weight)


def tables(student_t_layers=(0, 1)):
    described = describe(matrices(student_t_layers))
    statistics = pd.DataFrame(described.statistics)
    manifests = statistics[["model", "tensor", "weights"]].assign(tied_to=None)
    return manifests, statistics, pd.DataFrame(described.densities)


def test_tied_tensors_count_once():
    manifests, statistics, _ = tables()
    tied = manifests.iloc[[0]].assign(tensor="head.weight", tied_to="mlp_fc1.weight")
    summary = summarize(pd.concat([manifests, tied]), statistics)
    assert summary["trained.parameters"].value == 3 * 64 * 96
    assert summary["trained.tensors"].value == 3


def test_the_heaviest_tail_is_that_of_the_highest_kurtosis():
    manifests, statistics, _ = tables()
    summary = summarize(manifests, statistics)
    worst = statistics.loc[statistics["kurtosis"].idxmax()]
    assert summary["heaviest_tail.tensor"].value == worst.tensor
    assert summary["heaviest_tail.kurtosis"].value == pytest.approx(worst["kurtosis"])


@pytest.mark.parametrize(("heavy", "holds", "share"), [((0, 1), True, 1), ((1,), False, 0.5)])
def test_the_claim_of_heavy_tails_is_what_the_layers_say(heavy, holds, share):
    manifests, statistics, _ = tables(heavy)
    claim = summarize(manifests, statistics).claims[
        "trained_weights_have_heavier_tails_than_gaussian"
    ]
    assert claim.holds is holds
    assert claim.value == share


def test_without_layers_the_claim_is_not_measured():
    manifests, statistics, _ = tables()
    claim = summarize(manifests, statistics[statistics.model == "sampled"]).claims[
        "trained_weights_have_heavier_tails_than_gaussian"
    ]
    assert claim.holds == "not_measured"
    assert claim.value is None


def test_drawn_densities_integrate_to_the_share_inside_the_figure():
    _, statistics, densities = tables()
    drawn = weight_distribution.select({"statistics": statistics, "densities": densities})
    width = np.diff(np.sort(drawn.centre_sigma.unique())).min()
    mass = drawn.groupby(["model", "group"]).density_per_sigma.sum() * width
    assert set(mass.index) == {
        ("trained", "mlp"),
        ("trained", "embedding"),
        ("sampled", "linear"),
    }
    assert mass.to_numpy() == pytest.approx(1, abs=2e-3)


def test_figures_draw_models_and_say_what_they_show():
    manifests, statistics, densities = tables()
    summary = summarize(manifests, statistics)
    assert isinstance(summary, Summary)
    drawn = kurtosis.select({"statistics": statistics})
    assert set(drawn.model) == {"trained"}
    assert [axes.get_title() for axes in kurtosis.draw(drawn).axes] == ["trained"]
    assert "100 %" in kurtosis.caption(summary)
    drawn = weight_distribution.select({"statistics": statistics, "densities": densities})
    titles = [axes.get_title() for axes in weight_distribution.draw(drawn).axes]
    assert titles == ["trained", "sampled"]
    assert "kurtosis" in weight_distribution.caption(summary)
