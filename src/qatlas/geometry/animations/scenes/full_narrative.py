"""All that there is to tell, one scene after another."""

from qatlas.geometry.animations.scenes import (
    activation_rounding,
    activation_space_comparison,
    correction_cascade,
    error_decomposition,
    opening,
    partition_to_transport,
)
from qatlas.geometry.animations.stage import Stage
from qatlas.geometry.animations.story import Story

_ACTS = (
    opening,
    partition_to_transport,
    activation_space_comparison,
    error_decomposition,
    correction_cascade,
    activation_rounding,
)


def show(stage: Stage, story: Story) -> None:
    """Acts, the stage cleared between them."""
    first, *others = _ACTS
    first.show(stage, story)
    for act in others:
        stage.wipe()
        act.show(stage, story)
