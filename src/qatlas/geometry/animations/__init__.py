"""Animations of the network that is corrected, drawn with Manim Community, which is optional.

What a scene shows is computed without Manim: ``story`` and ``facts``. Only ``stage``, ``blocks``
and ``scenes`` import it, and nothing else imports them.
"""

from collections.abc import Mapping

SCENES: Mapping[str, str] = {
    "Opening": "opening",
    "PartitionToTransport": "partition_to_transport",
    "PartitionShift": "partition_shift",
    "GridDistortion": "grid_distortion",
    "ActivationSpaceComparison": "activation_space_comparison",
    "ErrorDecomposition": "error_decomposition",
    "CorrectionCascade": "correction_cascade",
    "ActivationRounding": "activation_rounding",
    "FullNarrative": "full_narrative",
}
"""Modules of ``qatlas.geometry.animations.scenes``, by the scenes' names."""
