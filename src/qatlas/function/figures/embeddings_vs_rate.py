"""How far embeddings of quantized sentence encoders move, and which neighbours stay."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from qatlas.config.function import Function
from qatlas.envelopes import with_best
from qatlas.family_curves import draw_families, draw_legend
from qatlas.function.curves import RATE
from qatlas.plotting import FULL_WIDTH, new_figure, readable
from qatlas.summary import Summary


def select(tables: Mapping[str, pd.DataFrame], settings: Function) -> pd.DataFrame:
    """All points; the best of a family is that of least embedding error."""
    rows = tables["embeddings"]
    points = rows[["model", "codec", "series", "nominal_bits", "rate_bits_per_weight"]].assign(
        angle=1 - rows.cosine, neighbour_overlap=rows.neighbour_overlap
    )
    judged = with_best(points.assign(nmse=rows.embedding_mse), by=["model"])
    return points.assign(best=judged.best)


def draw(drawn: pd.DataFrame) -> Figure:
    """A row a model: one minus the cosine, on a log scale, and the share of neighbours."""
    models = sorted(drawn.model.unique())
    figure, panels = new_figure(FULL_WIDTH, 0.8 + 2.2 * len(models), len(models), 2, sharex=True)
    for model, angle, overlap in zip(models, panels[::2], panels[1::2], strict=True):
        points = drawn[drawn.model == model]
        draw_families(angle, points, "angle")
        draw_families(overlap, points, "neighbour_overlap")
        angle.set(title=readable(model), ylabel="1 - cosine to the float model's", yscale="log")
        overlap.set(title=readable(model), ylabel="nearest 10 that stay", ylim=(0, 1.03))
    for lowest in panels[-2:]:
        lowest.set_xlabel(RATE)
    draw_legend(figure, panels, 5)
    return figure


def caption(summary: Summary, settings: Function) -> str:
    """What the figure shows."""
    encoders = settings.encoders
    assert encoders is not None, "drawn for studies with encoders only"
    best = []
    for model in encoders.models:
        name = f"{model}.most_overlap_at_4_bits"
        if name in summary.values:
            best.append(f"{model}: {summary.written(name, '.3f')}")
    return (
        f"Embeddings of {encoders.sentences:,} held-out sentences with all linear layers of the "
        "encoder quantized, against the bits that these really take: one minus the mean cosine "
        "to the float model's embedding, and the mean share of a sentence's ten nearest others "
        f"that stay (largest at nominally four bits: {'; '.join(best) or 'none measured'})."
    )
