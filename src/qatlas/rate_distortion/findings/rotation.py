"""What a rotation does to the error of a codec, by the kurtosis of the weights."""

import json

import numpy as np
import pandas as pd

from qatlas.codecs import registry
from qatlas.rate_distortion.findings.kurtosis import HEAVY_TAILED, with_kurtosis
from qatlas.summary import Value

_ORIGIN = "rate_distortion/tables/measurements.parquet"
_KEY = ["model", "tensor", "codec", "parameters"]


def rotation_pairs(measurements: pd.DataFrame, rotation: pd.DataFrame) -> pd.DataFrame:
    """Points of the codec ``rotate`` beside the same points of the codec that they wrap.

    Returns
    -------
    pd.DataFrame
        One row a tensor and rotated point whose inner codec was measured with equal parameters:
        model, tensor, kurtosis, series, nominal_bits, plain_nmse, rotated_nmse, and gain_db, by how
        much rotating lowers the error.
    """
    rotated = measurements[measurements.codec == "rotate"].dropna(subset=["nmse"])
    inner = {parameters: _inner(parameters) for parameters in rotated.parameters.unique()}
    wrapped = rotated.rename(columns={"nmse": "rotated_nmse"}).assign(
        codec=rotated.parameters.map(lambda parameters: inner[parameters][0]).astype(str),
        parameters=rotated.parameters.map(lambda parameters: inner[parameters][1]).astype(str),
    )
    plain = measurements.rename(columns={"nmse": "plain_nmse"})[[*_KEY, "plain_nmse"]]
    pairs = wrapped[[*_KEY, "series", "nominal_bits", "rotated_nmse"]].merge(plain, on=_KEY)
    gain = 10 * np.log10((pairs.plain_nmse / pairs.rotated_nmse).astype(float))
    pairs = with_kurtosis(pairs.assign(gain_db=gain), rotation)
    return pairs.sort_values(["series", "nominal_bits", "model", "tensor"], ignore_index=True)


def rotation_values(measurements: pd.DataFrame, rotation: pd.DataFrame) -> dict[str, Value]:
    """Median gain of rotating on tensors with light and with heavy tails."""
    pairs = rotation_pairs(measurements, rotation)
    sides = {
        "light_tailed": pairs[pairs["kurtosis"] <= HEAVY_TAILED],
        "heavy_tailed": pairs[pairs["kurtosis"] > HEAVY_TAILED],
    }
    return {
        f"rotation.{side}.median_gain_db": Value(
            value=float(rows.gain_db.median()),
            unit="dB",
            low=float(rows.gain_db.min()),
            high=float(rows.gain_db.max()),
            origin=_ORIGIN,
        )
        for side, rows in sides.items()
        if not rows.empty
    }


def _inner(parameters: str) -> tuple[str, str]:
    """Name and full parameters of the codec that is wrapped."""
    given = json.loads(parameters)["inner"]
    name = given.pop("codec")
    return name, registry.parameters_of(registry.create(name, **given))
