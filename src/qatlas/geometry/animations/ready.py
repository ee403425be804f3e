"""What must hold before a scene can be rendered."""

from qatlas.codecs.peers import is_installed
from qatlas.config.geometry_correction import Correction
from qatlas.errors import AtlasError
from qatlas.geometry.correction.network import ReluNetwork

PACKAGES = ("manim", "typst")
INSTALL = "make animations"
"""The command that installs them in the pinned versions, and then renders every scene."""


def require_manim() -> None:
    """Refuse to render without Manim and what sets its formulas.

    Raises
    ------
    AtlasError
        If a package is missing; the message says how to install it.
    """
    if missing := [package for package in PACKAGES if not is_installed(package)]:
        raise AtlasError(
            f"animations need packages that are not installed: {', '.join(missing)}. Install them "
            f"and render with `{INSTALL}`. It compiles two of their parts, which takes a C "
            "compiler, pkg-config and Pango's headers (on Debian: apt-get install gcc pkg-config "
            "libpango1.0-dev); neither LaTeX nor ffmpeg is needed"
        )


def require_rounding(network: ReluNetwork, quantized: ReluNetwork, bits: int) -> None:
    """Refuse weights that lie on their grid already, since there is no error to tell of.

    Raises
    ------
    AtlasError
        If all weights are equal.
    """
    pairs = zip(network.weights, quantized.weights, strict=True)
    if all((weight == rounded).all() for weight, rounded in pairs):
        raise AtlasError(
            f"geometry.correction.bits is {bits}, and every weight is a multiple of "
            f"2^-{bits - 1} already, so that rounding changes nothing and animations have nothing "
            "to show. Give fewer bits or other weights, or leave the animations out"
        )


def require_plane(settings: Correction) -> None:
    """Refuse a network whose hidden layer cannot be drawn in the plane.

    Raises
    ------
    AtlasError
        If there are not two hidden units.
    """
    if (units := len(settings.weight_1)) != 2:
        raise AtlasError(
            f"geometry.correction.weight_1: found {units} hidden units; animations draw what they "
            "give in the plane, which takes 2. Give two rows, or leave the animations out"
        )
