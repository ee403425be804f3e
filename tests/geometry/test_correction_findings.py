"""What the summary says of corrections and of layers, from tables that say so or do not."""

import pytest

from qatlas.geometry.findings import correction, layers


def changed(tables, name, column, value):
    """The tables with one column of one of them set."""
    return tables | {name: tables[name].assign(**{column: value})}


def layer_claims(tables):
    return dict(layers.claims(tables))


def test_every_value_has_a_table_and_every_claim_a_verdict(tables):
    found = {**dict(correction.values(tables)), **dict(layers.values(tables))}
    assert all(value.origin.startswith("geometry/tables/") for value in found.values())
    claims = {**dict(correction.claims(tables)), **layer_claims(tables)}
    assert {claim.holds for claim in claims.values()} <= {True, False, "not_measured"}


def test_the_toy_network_is_found_to_be_what_theory_says(tables):
    claims = dict(correction.claims(tables))
    for name in (
        "changed_area_is_that_of_samples",
        "region_maps_are_exact_where_all_units_are_alike",
        "region_maps_are_not_exact_where_units_differ",
        "exact_layer_correction_leaves_nothing",
        "weights.full_affine_recovers_most",
    ):
        assert claims[f"correction.{name}"].holds is True
    assert claims["correction.weights_and_activations.full_affine_recovers_most"].holds is False


def test_an_area_that_samples_contradict_is_told(tables):
    wrong = changed(tables, "toy_areas", "changed_area", 20.0)
    claims = dict(correction.claims(wrong))
    assert claims["correction.changed_area_is_that_of_samples"].holds is False


@pytest.mark.parametrize(
    ("table", "column", "value", "name"),
    [
        ("layer_supports", "ratio", 1.0, "support.inputs_follow_the_law"),
        ("layer_supports", "ratio", 1.0, "support.weights_follow_the_law"),
        ("layer_flips", "flip_rate", 0.5, "alone.flips_follow_the_gaussian_law"),
        ("layer_spectra", "rms", 9.0, "rms_follows_from_rounding_cell_and_inputs"),
        ("layer_growths", "unexplained", 0.6, "8bit.growth_is_of_first_order"),
    ],
)
def test_a_law_that_is_broken_is_told(tables, table, column, value, name):
    assert layer_claims(tables)[f"layers.llama.{name}"].holds is True
    broken = changed(tables, table, column, value)
    assert layer_claims(broken)[f"layers.llama.{name}"].holds is False


def test_a_full_map_that_harms_is_told_and_one_that_is_missing_is_not_measured(tables):
    name = "layers.llama.model.full_recovers_no_less_than_diagonal"
    assert layer_claims(tables)[name].holds is False
    rows = tables["layer_corrections"]
    without = tables | {"layer_corrections": rows[rows.correction != "full"]}
    assert layer_claims(without)[name].holds == "not_measured"
