"""The chapter's figures, drawn from made-up measurements of the default study."""

from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pandas as pd
import pytest
import yaml

from qatlas.codecs import create
from qatlas.codecs.registry import parameters_of
from qatlas.config.loading import load
from qatlas.family_curves import in_order
from qatlas.plotting import readable
from qatlas.rate_distortion import figures
from qatlas.rate_distortion.allocation import allocate
from qatlas.rate_distortion.drawing import LIMITS
from qatlas.rate_distortion.figures import FIGURES
from qatlas.rate_distortion.schema import (
    ALLOCATION_TOTALS,
    ALLOCATIONS,
    BOUNDS,
    MEASUREMENTS,
    ROTATION,
)
from qatlas.rate_distortion.summary import summarize
from qatlas.tables import read_table, write_table
from tests.drawn_text import boxes, collisions, has_width_and_type_of_the_house, outside, texts
from tests.rate_distortion.conftest import summarized_tables

STUDY = load(yaml.safe_load((Path(__file__).parents[2] / "config.yaml").read_text()))
SETTINGS = STUDY.rate_distortion
KINDS = {
    "attention.self.query": "attention_q",
    "attention.self.key": "attention_k",
    "attention.self.value": "attention_v",
    "attention.output.dense": "attention_o",
    "intermediate.dense": "mlp_fc1",
    "output.dense": "mlp_fc2",
}

every_figure = pytest.mark.parametrize("name", FIGURES)


def tensors():
    """Model, tensor, kind and layer of every matrix."""
    for layer in range(6):
        for part, kind in KINDS.items():
            yield SETTINGS.example.model, f"encoder.layer.{layer}.{part}.weight", kind, layer
    yield SETTINGS.example.model, "embeddings.token_type_embeddings.weight", "embedding", None
    for model in STUDY.models.keys() - {SETTINGS.example.model}:
        yield model, "weight", "linear", None


def measured(model, tensor, kind, layer, size):
    """Rows of a tensor: the further down in the configuration, the larger the error."""
    for place, (series, grid) in enumerate(STUDY.codecs.items()):
        for point in grid.points():
            codec = create(grid.codec, **point)
            bits = codec.nominal_bits
            nmse = (1 + place) * 3.5**-bits * (1 + size / 50)
            shannon = max(0.0, -0.5 * np.log2(nmse))
            yield {
                **dict.fromkeys(MEASUREMENTS.schema.names, 0.0),
                **{"model": model, "tensor": tensor, "kind": kind, "layer": layer},
                **{"codec": grid.codec, "series": series, "parameters": parameters_of(codec)},
                **{"weights": 100 + size, "sampled_weights": 100 + size, "seed": 0},
                **{"rate_bits_per_weight": bits + 0.1, "nominal_bits": bits},
                **{"mse": 2 * nmse, "nmse": nmse, "sqnr_db": -10 * np.log10(nmse)},
                **{"mse_low": 1.9 * nmse, "mse_high": 2.1 * nmse},
                "train_mse": 1.8 * nmse if grid.codec == "vector" else None,
                "gap_shannon_bits": bits + 0.1 - shannon,
                "gap_empirical_bits": bits + 0.2 - shannon,
                "gap_channel_variance_bits": bits + 0.1 - shannon,
            }


def limited(model, tensor, kind):
    for nmse in np.geomspace(1e-6, 1, 12):
        shannon = -0.5 * np.log2(nmse)
        yield {
            **{"model": model, "tensor": tensor, "kind": kind, "nmse": nmse},
            **{"shannon_bits": shannon, "empirical_bits": max(0, shannon - 0.1)},
            "shannon_lower_bits": max(0, shannon - 0.2),
            "channel_variance_bits": max(0, shannon - 0.1),
            "group_variance_bits": None,
        }


def described(size, model, tensor, kind, layer):
    """A row of ``rotation``: the larger the heavier its tails."""
    return {
        **dict.fromkeys(ROTATION.schema.names, 0.0),
        **{"model": model, "tensor": tensor, "kind": kind, "layer": layer},
        **{"weights": 100 + size, "kurtosis": 2.9 + size**1.5},
    }


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    every = list(enumerate(tensors()))
    rows = {
        MEASUREMENTS: [row for size, tensor in every for row in measured(*tensor, size)],
        BOUNDS: [row for _, tensor in every for row in limited(*tensor[:3])],
        ROTATION: [described(size, *tensor) for size, tensor in every],
    }
    allocated = allocate(
        pd.DataFrame(rows[MEASUREMENTS]), SETTINGS.allocated_models(), SETTINGS.allocation
    )
    rows |= {ALLOCATIONS: allocated.allocations, ALLOCATION_TOTALS: allocated.totals}
    for kind, its_rows in rows.items():
        write_table(its_rows, kind, folder / kind.name)
    return {kind.name: read_table(kind, folder / kind.name) for kind in rows}


@pytest.fixture(scope="module")
def summary(tables):
    return summarize(
        summarized_tables(
            tables["measurements"],
            tables["rotation"],
            allocation_totals=tables["allocation_totals"],
        ),
        SETTINGS,
        [],
        STUDY.codecs,
    )


def without(tables, series):
    rows = tables["measurements"]
    return tables | {"measurements": rows[rows.series != series]}


def of_models(tables, models):
    return {name: table[table.model.isin(models)] for name, table in tables.items()}


def drawn_by(name, tables):
    module = import_module(f"{figures.__name__}.{name}")
    return module.draw(module.select(tables, SETTINGS))


@pytest.fixture(scope="module")
def drawn_once(tables):
    """A figure and the boxes of its texts, made once for all tests of the same figure."""

    @cache
    def draw(name):
        figure = drawn_by(name, tables)
        return figure, boxes(figure)

    return draw


def test_every_module_is_a_figure_and_every_figure_a_module():
    assert sorted(FIGURES) == sorted(module.name for module in iter_modules(figures.__path__))


@every_figure
def test_a_figure_selects_draws_and_captions_and_reads_known_tables(name):
    module = import_module(f"{figures.__name__}.{name}")
    assert all(callable(getattr(module, part)) for part in ("select", "draw", "caption"))
    known = (MEASUREMENTS, BOUNDS, ROTATION, ALLOCATIONS, ALLOCATION_TOTALS)
    assert set(FIGURES[name]) <= {table.name for table in known}


@every_figure
def test_a_figure_reads_no_other_tables_than_it_says(name, tables):
    module = import_module(f"{figures.__name__}.{name}")
    assert len(module.select({table: tables[table] for table in FIGURES[name]}, SETTINGS))


@every_figure
def test_all_text_lies_inside_the_figure(name, drawn_once):
    assert outside(*drawn_once(name)) == []


@every_figure
def test_no_text_lies_on_another(name, drawn_once):
    _, drawn = drawn_once(name)
    assert collisions(drawn) == []


@every_figure
def test_a_figure_is_one_column_wide_or_two_in_type_of_6_to_8_points(name, drawn_once):
    figure, drawn = drawn_once(name)
    assert has_width_and_type_of_the_house(figure, drawn)


@every_figure
@pytest.mark.parametrize("others", [0, 2])
def test_a_figure_of_fewer_models_is_drawn(name, others, tables):
    models = [SETTINGS.example.model, *sorted(STUDY.models.keys() - {SETTINGS.example.model})]
    figure = drawn_by(name, of_models(tables, models[: 1 + others]))
    assert outside(figure, boxes(figure)) == []


@every_figure
def test_without_a_series_that_was_not_measured_the_others_are_drawn(name, tables):
    skipped = without(tables, "nf4_double_quantized")
    figure = drawn_by(name, skipped)
    assert outside(figure, boxes(figure)) == []
    assert not any("nf4 double quantized" in text.get_text() for text in texts(figure))


@every_figure
def test_what_is_drawn_is_what_was_measured_and_does_not_change_with_the_order(
    name, tables, drawn_once
):
    module = import_module(f"{figures.__name__}.{name}")
    figure, _ = drawn_once(name)
    shuffled = {key: table.sample(frac=1, random_state=3) for key, table in tables.items()}
    other = module.draw(module.select(shuffled, SETTINGS))
    for panel, other_panel in zip(figure.axes, other.axes, strict=True):
        for line, other_line in zip(panel.get_lines(), other_panel.get_lines(), strict=True):
            assert line.get_label() == other_line.get_label()
            assert np.array_equal(line.get_xydata(), other_line.get_xydata(), equal_nan=True)


@every_figure
def test_a_caption_is_a_sentence_with_numbers_of_the_summary(name, summary):
    module = import_module(f"{figures.__name__}.{name}")
    caption = module.caption(summary, SETTINGS)
    assert caption.endswith(".")
    assert any(character.isdigit() for character in caption)
    assert not {"nan", "None", "inf"} & set(caption.replace(",", " ").split())
    assert "not measured" not in caption


@pytest.mark.parametrize("name", [n for n in FIGURES if "measurements" in FIGURES[n]])
def test_a_study_of_little_is_drawn_and_its_caption_says_what_was_not_measured(name, tables):
    """One codec grid with one scale a tensor, at bits that nothing else is compared at."""
    rows = tables["measurements"]
    few = rows[(rows.series == SETTINGS.by_tensor) & (rows.nominal_bits == 6)]
    little = tables | {"measurements": few}
    assert drawn_by(name, little).axes
    module = import_module(f"{figures.__name__}.{name}")
    found = summarize(summarized_tables(few, tables["rotation"]), SETTINGS, [], STUDY.codecs)
    caption = module.caption(found, SETTINGS)
    assert "not measured" in caption


def test_the_bit_sweep_shows_both_series_and_shannons_bound(tables):
    module = import_module(f"{figures.__name__}.bit_sweep")
    selected = module.select(tables, SETTINGS)
    assert set(selected.series) == {SETTINGS.by_tensor, SETTINGS.by_channel}
    assert set(selected.tensor) == {SETTINGS.example.tensor}
    # The variance of the made-up weights is 2.
    assert selected.shannon_mse.tolist() == pytest.approx(2 * 4.0**-selected.nominal_bits)
    (panel,) = module.draw(selected).axes
    lines = {line.get_label(): line for line in panel.get_lines()}
    assert len(lines) == 3
    bound = lines["Gaussian Shannon bound"]
    assert bound.get_ydata()[0] == pytest.approx(2 * 4.0 ** -bound.get_xdata()[0])


def test_the_layer_sensitivity_shows_every_tensor_once_and_the_worst_by_name(tables):
    module = import_module(f"{figures.__name__}.layer_sensitivity")
    selected = module.select(tables, SETTINGS)
    assert len(selected) == 37
    assert selected.nmse.is_monotonic_decreasing
    panel, table = module.draw(selected).axes
    assert sum(len(line.get_xdata()) for line in panel.get_lines()) == 37
    cells = next(iter(table.tables)).get_celld()
    worst = selected.iloc[0]
    assert cells[1, 1].get_text().get_text() == f"{worst.nmse:.2e}"
    assert cells[1, 2].get_text().get_text() == f"{worst.sqnr_db:.1f}"


@pytest.mark.parametrize("name", ["rate_distortion_curves", "gap_to_shannon"])
def test_curves_show_a_tensor_of_every_model_the_example_first(name, tables):
    module = import_module(f"{figures.__name__}.{name}")
    selected = module.select(tables, SETTINGS)
    shown = selected.drop_duplicates("model")
    assert shown.model.tolist() == [
        SETTINGS.example.model,
        *sorted(STUDY.models.keys() - {SETTINGS.example.model}),
    ]
    assert shown.tensor.tolist()[0] == SETTINGS.example.tensor
    assert selected.groupby("model").tensor.nunique().max() == 1


@pytest.mark.parametrize("name", ["rate_distortion_curves", "gap_to_shannon"])
def test_curves_show_every_series_and_all_limits_in_every_panel(name, tables):
    module = import_module(f"{figures.__name__}.{name}")
    selected = module.select(tables, SETTINGS)
    assert set(selected[selected.codec != "limit"].series) == set(STUDY.codecs)
    families = {grid.codec for grid in STUDY.codecs.values()}
    for panel in module.draw(selected).axes:
        labels = [line.get_label() for line in panel.get_lines()]
        assert labels.count("_other") == len(STUDY.codecs)
        assert {readable(family) for family in families} <= set(labels)
        assert {label for label, _ in LIMITS.values()} <= set(labels)


def test_the_largest_tensor_stands_for_a_model(tables):
    """Of equally large ones the first by name."""
    rows = tables["measurements"]
    larger = rows[rows.model == "gaussian"].assign(tensor="b.larger", weights=10**6)
    equal = larger.assign(tensor="a.equal")
    more = tables | {"measurements": pd.concat([rows, larger, equal])}
    module = import_module(f"{figures.__name__}.rate_distortion_curves")
    selected = module.select(more, SETTINGS)
    assert set(selected[selected.model == "gaussian"].tensor) == {"a.equal"}


def test_the_allocation_curve_shows_every_plan_and_every_kind(tables):
    module = import_module(f"{figures.__name__}.allocation_curve")
    selected = module.select(tables, SETTINGS)
    settings = SETTINGS.allocation
    *curves, kinds = module.draw(selected).axes
    assert len(curves) == len(settings.weightings) == 2
    totals = tables["allocation_totals"].set_index(["weighting", "plan"])
    for weighting, panel in zip(settings.weightings, curves, strict=True):
        uniform, allocated = panel.get_lines()
        for line, plan in ((uniform, "uniform"), (allocated, "allocated")):
            expected = totals.loc[(weighting, plan)].set_index("budget_bits_per_weight").nmse
            assert dict(line.get_xydata()) == expected.to_dict()
        assert (allocated.get_ydata() <= uniform.get_ydata()).all()
    assert [text.get_text() for text in kinds.get_yticklabels()] == sorted(
        {kind.replace("_", " ") for kind in KINDS.values()} | {"embedding"}, reverse=True
    )


def test_the_allocation_curve_is_drawn_where_no_codec_fits_all_tensors(tables):
    module = import_module(f"{figures.__name__}.allocation_curve")
    totals = tables["allocation_totals"]
    alone = tables | {"allocation_totals": totals[totals.plan == "allocated"]}
    summarized = summarized_tables(
        tables["measurements"], allocation_totals=alone["allocation_totals"]
    )
    found = summarize(summarized, SETTINGS, [], STUDY.codecs)
    assert "undefined at 3 bits" in module.caption(found, SETTINGS)
    figure = module.draw(module.select(alone, SETTINGS))
    assert outside(figure, boxes(figure)) == []


def test_the_bits_of_a_kind_in_the_allocation_curve_are_those_of_its_tensors(tables):
    module = import_module(f"{figures.__name__}.allocation_curve")
    selected = module.select(tables, SETTINGS)
    plans = tables["allocations"]
    shown = plans[
        (plans.budget_bits_per_weight == SETTINGS.allocation.shown_budget)
        & (plans.weighting == "plain")
        & (plans.kind == "mlp_fc1")
    ]
    (row,) = selected[(selected.kind == "mlp_fc1") & (selected.weighting == "plain")].itertuples()
    assert row.rate_bits_per_weight == pytest.approx(
        np.average(shown.rate_bits_per_weight, weights=shown.weights)
    )


def lines_of(panel):
    return {line.get_label(): line for line in panel.get_lines()}


def test_vectors_are_drawn_over_the_scalar_families_with_what_training_suggests(tables):
    module = import_module(f"{figures.__name__}.vector_quantization")
    selected = module.select(tables, SETTINGS)
    left, right = module.draw(selected).axes
    vector = selected[selected.series == "vector_d2"]
    for panel, quantity in ((left, "nmse"), (right, "gap_shannon_bits")):
        lines = lines_of(panel)
        assert {"vector d2", "vector d8", "uniform", "lloyd max", "entropy coded"} <= set(lines)
        assert lines["vector d2"].get_ydata().tolist() == vector[quantity].tolist()
        trained = lines["_vector_d2 as trained"].get_ydata()
        assert trained.tolist() == vector[f"train_{quantity}"].tolist()
    assert vector.train_nmse.to_numpy() == pytest.approx(0.9 * vector.nmse.to_numpy())
    assert (vector.nmse_low / vector.nmse).tolist() == pytest.approx([0.95] * 3)
    shannon = np.maximum(0, -0.5 * np.log2(vector.train_nmse))
    suggested = vector.rate_bits_per_weight - shannon
    assert vector.train_gap_shannon_bits.to_numpy() == pytest.approx(suggested.to_numpy())


def test_vectors_without_training_errors_are_drawn_without_them(tables):
    bare = tables | {"measurements": tables["measurements"].assign(train_mse=np.nan)}
    left, _ = drawn_by("vector_quantization", bare).axes
    assert "vector d2" in lines_of(left)
    assert not any("as trained" in label for label in lines_of(left))


def test_the_groups_have_a_bar_for_every_family_around_the_bits(tables):
    module = import_module(f"{figures.__name__}.groups")
    selected = module.select(tables, SETTINGS)
    panels = module.draw(selected).axes
    assert [panel.get_title() for panel in panels] == ["MLP", "attention query", "embeddings"]
    for panel, group in zip(panels, ("mlp", "attention_q", "embedding"), strict=True):
        widths = [bar.get_width() for bar in panel.patches]
        rows = selected[selected.group == group].set_index("codec")
        families = list(dict.fromkeys(selected.codec))
        assert widths == pytest.approx(rows.loc[families].gap_empirical_bits.tolist())
        assert not rows.index.duplicated().any()


def test_every_tensor_of_all_models_is_a_point_against_its_kurtosis(tables):
    module = import_module(f"{figures.__name__}.gap_vs_kurtosis")
    selected = module.select(tables, SETTINGS)
    best = selected[selected.best]
    assert best.groupby("codec").size().eq(len(tables["rotation"])).all()
    smallest = selected.groupby(["model", "tensor", "codec"]).gap_shannon_bits.transform("min")
    assert (best.gap_shannon_bits == smallest[best.index]).all()
    drawn = module.draw(selected).axes
    assert [panel.get_title() for panel in drawn] == [
        readable(family) for family in in_order(selected.codec)
    ]


def test_the_front_is_drawn_on_the_tensor_and_on_the_whole_model(tables):
    module = import_module(f"{figures.__name__}.pareto_front")
    selected = module.select(tables, SETTINGS)
    upper = module.draw(selected).axes[:2]
    for panel, scope in zip(upper, ("example", "model"), strict=True):
        rows = selected[(selected.scope == scope) & (selected.codec != "limit")]
        front = rows[rows.front].sort_values("rate_bits_per_weight")
        assert lines_of(panel)["_front"].get_ydata().tolist() == front.nmse.tolist()
        for point in rows[~rows.front].itertuples():
            as_cheap = front.rate_bits_per_weight <= point.rate_bits_per_weight + 0.01
            assert (front[as_cheap].nmse <= point.nmse).any()


def test_the_two_averages_of_limits_meet_the_measured_kinds(tables):
    module = import_module(f"{figures.__name__}.curves_by_kind")
    selected = module.select(tables, SETTINGS)
    assert set(selected.group) == {"embedding", "attention", "mlp"}
    assert set(selected[selected.codec == "limit"].series) == set(LIMITS)
    axes = module.draw(selected).axes
    assert [panel.get_title() for panel in axes[:3]] == [
        "embeddings (1 tensor)",
        "attention (24 tensors)",
        "MLP (12 tensors)",
    ]
