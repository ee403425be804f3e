"""How long sets of errors take from generators, next to sums of vertex lists with a hull each step.

Both compute the experiments of the default study in two and three dimensions, the longest error at
every input of its sets, and its heat map; nothing is drawn and nothing written. Seconds are the
best of several runs, since both are short.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from record import (
    Measurement,
    Record,
    at_least,
    at_most,
    machine,
    print_record,
    report_progress,
    timed,
)
from scipy.spatial import ConvexHull

from qatlas.config.geometry import Geometry
from qatlas.geometry.experiments.named import at_inputs, experiments
from qatlas.geometry.experiments.transport import (
    directions,
    generators,
    lengths,
    region,
    transport,
)
from qatlas.geometry.grid import step_of
from qatlas.geometry.manifolds.shapes import circle, sample_all
from qatlas.geometry.points import grid
from qatlas.geometry.sets.polygon import largest_norms
from qatlas.geometry.sets.shared_directions import areas_along, largest_norms_along
from qatlas.geometry.sets.volume import areas, volume

Floats = NDArray[np.float64]
Sizes = dict[str, Floats]
"""Volume, half-widths of the bounding box and longest error, of every region in order."""


def run(repetitions: int = 20, brute_repetitions: int = 2) -> Record:
    """Compute the sizes of all regions both ways.

    Parameters
    ----------
    repetitions, brute_repetitions
        Runs of which the fastest counts, from generators and from vertex lists.
    """
    before = machine(threads=1)
    config = Path(__file__).parents[1] / "config.yaml"
    study = yaml.safe_load(config.read_text())
    settings = Geometry(**study["geometry"])
    inputs = _inputs(settings, study["seed"])
    ours, found = _best(lambda: _from_generators(settings, inputs), repetitions)
    report_progress(f"from generators: {1e3 * ours:.2f} ms")
    theirs, expected = _best(lambda: _from_vertex_lists(settings, inputs), brute_repetitions)
    report_progress(f"from vertex lists: {1e3 * theirs:.0f} ms")
    apart = max(
        float(np.abs(found[size] - expected[size]).max() / expected[size].max())
        for size in expected
    )
    regions = len(expected["volume"])
    return Record(
        name="geometry_sets",
        compares=f"sizes of {regions} regions of errors, from generators and from vertex lists "
        "that are summed with a convex hull (SciPy, Qhull) after each layer",
        machine=before,
        measurements=(
            Measurement("time", "qatlas", ours, "s"),
            Measurement("time", "vertex lists", theirs, "s"),
        ),
        targets=(
            at_least("times as fast as vertex lists", theirs / ours, 200),
            at_most("largest difference of a size, over the largest such size", apart, 1e-9),
        ),
    )


def _inputs(settings: Geometry, seed: int) -> Floats:
    """Inputs in the plane: the circle, all sets and the heat map, shape (n, 2)."""
    plane, sections = settings.plane, settings.manifolds
    sets = [inputs for _, inputs in sample_all(sections.shapes, sections.points, seed)]
    heat_map = grid(sections.heat_map.half_width, sections.heat_map.side)
    return np.concatenate([circle(plane.circle, plane.circle.points), *sets, heat_map])


def _from_generators(settings: Geometry, inputs: Floats) -> Sizes:
    named = experiments(settings)
    layers = at_inputs(settings.plane, inputs, step_of(settings.bits))
    along, far = directions(transport(layers.weights)), lengths(layers)
    flat = np.stack([generators(one.layers, one.by) for one in named if one.dimension == 2])
    spatial = [region(one.layers, one.by) for one in named if one.dimension == 3]
    return {
        "volume": np.concatenate(
            [areas(flat), areas_along(along, far), [volume(one) for one in spatial]]
        ),
        "half_widths": np.concatenate(
            [
                np.abs(flat).sum(axis=-1).ravel(),
                (far @ np.abs(along).T).ravel(),
                *(np.abs(one.generators).sum(axis=-1) for one in spatial),
            ]
        ),
        "longest": np.concatenate([largest_norms(flat), largest_norms_along(along, far)]),
    }


def _from_vertex_lists(settings: Geometry, inputs: Floats) -> Sizes:
    named = experiments(settings)
    layers = at_inputs(settings.plane, inputs, step_of(settings.bits))
    regions = [_summed(one.layers.weights, one.layers.half_widths) for one in named]
    many = [_summed(layers.weights, widths) for widths in layers.half_widths]
    flat = [part for one, part in zip(named, regions, strict=True) if one.dimension == 2]
    spatial = [part for one, part in zip(named, regions, strict=True) if one.dimension == 3]
    ordered = [*flat, *many, *spatial]
    return {
        "volume": np.array([_hull_volume(points) for points in ordered]),
        "half_widths": np.concatenate([np.ptp(points, axis=0) / 2 for points in ordered]),
        "longest": np.array([np.linalg.norm(points, axis=1).max() for points in [*flat, *many]]),
    }


def _summed(weights: Floats, half_widths: Floats) -> Floats:
    """Vertices of all boxes pulled back and added one after the other, shape (n, d)."""
    d = weights.shape[1]
    signs = np.stack(np.meshgrid(*[[-1.0, 1.0]] * d), axis=-1).reshape(-1, d)
    product, points = np.eye(d), np.zeros((1, d))
    for weight, widths in zip(weights, half_widths, strict=True):
        product = weight @ product
        corners = (signs * widths) @ np.linalg.inv(product).T
        points = (points[:, None] + corners).reshape(-1, d)
        if widths.any():
            points = points[ConvexHull(points).vertices]
    return points


def _hull_volume(points: Floats) -> float:
    return float(ConvexHull(points).volume) if np.ptp(points, axis=0).all() else 0.0


def _best(call: Callable[[], Sizes], repetitions: int) -> tuple[float, Sizes]:
    runs = [timed(call) for _ in range(repetitions)]
    return min(seconds for seconds, _ in runs), runs[0][1]


if __name__ == "__main__":
    print_record(run())
