"""Line styles that figures of language models by table share."""

from typing import Any

from qatlas.plotting import GREY

TRUE_PRODUCTS: dict[str, Any] = {
    "color": "black",
    "marker": "x",
    "linestyle": ":",
    "label": "true products (int)",
}
"""Operands on levels that are multiplied exactly."""
NOISE_FLOOR: dict[str, Any] = {
    "color": GREY,
    "linestyle": (0, (1, 1.2)),
    "linewidth": 1.0,
    "label": "computed in bfloat16",
}
"""What the usual precision of inference changes."""
