"""What quantizers of a given dimension reach on a Gaussian source as the rate grows.

Not limits of the source but of a kind of quantizer, and only at high rate. A quantizer of dimension
d cuts space into cells of normalised second moment G_d at best.

Sources: Panter & Dite 1951, "Quantization distortion in pulse-count modulation with nonuniform
spacing of levels"; Zador 1982, "Asymptotic quantization error of continuous signals and the
quantization dimension"; Gish & Pierce 1968, "Asymptotically efficient quantizing"; the moments are
those of Conway & Sloane, "Sphere Packings, Lattices and Groups", 3rd edition, table 2.3.
"""

from math import e, log2, pi, sqrt

from qatlas.errors import AtlasError

SECOND_MOMENTS = {
    1: 1 / 12,
    2: 5 / (36 * sqrt(3)),
    3: 19 / (192 * 2 ** (1 / 3)),
    4: 0.076603,
    8: 929 / 12960,
    24: 0.065771,
}
"""Least known normalised second moment by dimension: Z, A2, the dual of A3, D4, E8, Leech."""


def fixed_rate_gap_bits(dimension: int) -> float:
    """Gap to Shannon of the best quantizer of a dimension with codes of one length.

    Zador's formula, D = G_d |f|_{d/(d+2)} 2^(-2R); independent Gaussians of variance s^2 have
    |f|_{d/(d+2)} = 2 pi s^2 ((d + 2) / d)^((d + 2) / 2). With d = 1 it is Panter and Dite's,
    D = (1/12) (integral of f^(1/3))^3 2^(-2R) = sqrt(3) pi / 2 s^2 2^(-2R): 0.722 bit.

    Parameters
    ----------
    dimension
        Weights that are quantized together, one of ``SECOND_MOMENTS``.

    Returns
    -------
    float
        Bits per weight beyond a Gaussian's Shannon bound, at high rate.

    Raises
    ------
    AtlasError
        If the best cell of that dimension is not known here.
    """
    spread = 2 * pi * ((dimension + 2) / dimension) ** ((dimension + 2) / 2)
    return 0.5 * log2(_second_moment(dimension) * spread)


def entropy_coded_gap_bits(dimension: int) -> float:
    """Gap to Shannon of the best lattice of a dimension whose points are entropy-coded.

    D = G_d 2^(2h) 2^(-2R) with h the differential entropy (Gish & Pierce for d = 1: 0.2546 bit),
    so 0.5 log2(2 pi e G_d) on a Gaussian, and as much above Shannon's lower bound on any density.

    Parameters
    ----------
    dimension
        Weights that are quantized together, one of ``SECOND_MOMENTS``.

    Returns
    -------
    float
        Bits per weight beyond Shannon's lower bound, at high rate.

    Raises
    ------
    AtlasError
        If the best cell of that dimension is not known here.
    """
    return 0.5 * log2(2 * pi * e * _second_moment(dimension))


def _second_moment(dimension: int) -> float:
    if dimension not in SECOND_MOMENTS:
        raise AtlasError(
            f"dimension of a quantizer: found {dimension}, allowed: "
            f"{', '.join(map(str, SECOND_MOMENTS))}"
        )
    return SECOND_MOMENTS[dimension]
