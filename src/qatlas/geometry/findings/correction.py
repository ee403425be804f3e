"""What was found of the ReLU network that is corrected."""

from collections.abc import Iterator, Mapping

import pandas as pd

from qatlas.geometry.findings.numbers import number
from qatlas.summary import Claim, Value, claim

_AREAS = "geometry/tables/toy_areas.parquet"
_ENERGIES = "geometry/tables/toy_energies.parquet"
_RESIDUALS = "geometry/tables/toy_residuals.parquet"
_REGIONS = "geometry/tables/toy_region_residuals.parquet"
_ALIGNMENTS = "geometry/tables/toy_alignments.parquet"
_CASCADES = "geometry/tables/toy_cascades.parquet"
# Of errors of order 1, in float64.
_ROUNDING = 1e-10


def values(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Value]]:
    """Of the tables ``toy_*``, under ``correction``."""
    yield from _of_areas(tables["toy_areas"])
    for row in tables["toy_energies"].to_dict("records"):
        name = f"correction.{row['quantization']}.{row['inputs']}"
        for column in ("topological_share", "topological_points"):
            yield f"{name}.{column}", Value(value=row[column], unit="1", origin=_ENERGIES)
    for row in tables["toy_residuals"].to_dict("records"):
        name = f"correction.{row['quantization']}.{row['inputs']}.{row['correction']}"
        for column, unit in (("rms", "output"), ("recovered", "1")):
            found = Value(value=number(row[column]), unit=unit, origin=_RESIDUALS)
            yield f"{name}.{row['error_class']}.{column}", found
    for row in tables["toy_alignments"].to_dict("records"):
        name = f"correction.{row['quantization']}.{row['inputs']}.layer_{row['layer']}"
        for column, unit in (("raw_rms", "output"), ("aligned_rms", "output"), ("cka", "1")):
            yield (
                f"{name}.{column}",
                Value(value=number(row[column]), unit=unit, origin=_ALIGNMENTS),
            )
    cascades = tables["toy_cascades"]
    last = cascades[cascades.layer == cascades.layer.max()]
    for row in last.to_dict("records"):
        name = f"correction.{row['quantization']}.cascade.{row['correction']}.{row['corrected']}"
        yield f"{name}.rms", Value(value=row["after_rms"], unit="output", origin=_CASCADES)


def claims(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, Claim]]:
    """What an affine map can undo, and what it cannot."""
    area = tables["toy_areas"].set_index("quantization").loc["weights"]
    off = abs(area.changed_area - area.sampled_changed_area) / max(area.standard_error, 1e-300)
    yield (
        "correction.changed_area_is_that_of_samples",
        claim(
            "The changed region's exact area lies within four standard errors of the one of random "
            "inputs (standard errors between them).",
            off,
            off <= 4,
            4,
            _AREAS,
        ),
    )
    regions = tables["toy_region_residuals"].query(
        "correction == 'region_pair' and quantization == 'weights' and inputs == 'grid' and "
        "before == after"
    )
    units = regions.before.str.count("1")
    whole = (units == 0) | (units == regions.before.str.len())
    for called, rows, exact in (
        ("exact_where_all_units_are_alike", regions[whole], True),
        ("not_exact_where_units_differ", regions[~whole], False),
    ):
        found = rows.rms.max() if exact else rows.rms.min()
        yield (
            f"correction.region_maps_are_{called}",
            claim(
                "With weights alone rounded, a full affine map a region leaves "
                + (
                    "nothing where all hidden units are on or all are off (largest RMS)."
                    if exact
                    else "an error in every region where some are on and some off (least RMS)."
                ),
                found,
                (found <= _ROUNDING) if exact else (found > _ROUNDING),
                _ROUNDING,
                _REGIONS,
            ),
        )
    residuals = (
        tables["toy_residuals"]
        .set_index(["quantization", "inputs", "error_class", "correction"])
        .sort_index()
    )
    for quantization in ("weights", "weights_and_activations"):
        of_grid = residuals.loc[quantization, "grid"].recovered
        full = of_grid["all", "full"]
        yield (
            f"correction.{quantization}.full_affine_recovers_most",
            claim(
                "One full affine map undoes more than half of the energy of the output error on "
                f"held-out inputs, {quantization.replace('_', ' ')} rounded (share).",
                full,
                full > 0.5,
                0.5,
                _RESIDUALS,
            ),
        )
        less = of_grid["metric", "region"] - of_grid["topological", "region"]
        yield (
            f"correction.{quantization}.topological_error_is_harder_to_undo",
            claim(
                "Affine maps of the quantized network's regions undo less of topological than of "
                f"metric error, {quantization.replace('_', ' ')} rounded (difference of shares).",
                less,
                less > 0,
                0,
                _RESIDUALS,
            ),
        )
    exact = tables["toy_cascades"].query("correction == 'exact' and corrected in ('last', 'all')")
    left = exact[exact.layer == exact.layer.max()].after_rms.max()
    yield (
        "correction.exact_layer_correction_leaves_nothing",
        claim(
            "The exact correction of the last layer leaves no error, whether or not earlier layers "
            "are corrected (largest RMS).",
            left,
            left <= _ROUNDING,
            _ROUNDING,
            _CASCADES,
        ),
    )


def _of_areas(areas: pd.DataFrame) -> Iterator[tuple[str, Value]]:
    for row in areas.to_dict("records"):
        name = f"correction.{row['quantization']}"
        sampled = row["sampled_changed_area"] / row["area"]
        reach = 1.96 * row["standard_error"] / row["area"]
        exact = number(row["changed_area"] / row["area"])
        yield f"{name}.changed_share", Value(value=exact, unit="1", origin=_AREAS)
        yield (
            f"{name}.sampled_changed_share",
            Value(
                value=sampled, unit="1", low=sampled - reach, high=sampled + reach, origin=_AREAS
            ),
        )
