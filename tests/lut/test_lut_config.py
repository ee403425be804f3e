from pathlib import Path
from typing import get_args

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.config.lut import Encoding, Lut, Multiplier
from qatlas.errors import AtlasError
from qatlas.lut.encodings import ENCODINGS
from qatlas.lut.multipliers import MULTIPLIERS

SMOKE = Path(__file__).parents[2] / "config/smoke.yaml"


def refusal(**changes):
    study = yaml.safe_load(SMOKE.read_text())
    study["lut"] |= changes
    with pytest.raises(AtlasError) as refused:
        load(study)
    return str(refused.value)


def test_the_configuration_knows_every_encoding_and_multiplier():
    assert set(get_args(Encoding)) == set(ENCODINGS)
    assert set(get_args(Multiplier)) == set(MULTIPLIERS)


@pytest.mark.parametrize("size", [1, 0, -2, 4097])
def test_a_size_that_no_table_has_is_refused_with_its_key(size):
    said = refusal(sizes=[4, size])
    assert "lut.sizes.1: " in said
    assert str(size) in said


@pytest.mark.parametrize("limit", [0, -1.5, float("inf"), float("nan")])
def test_a_range_that_holds_nothing_is_refused_with_its_key(limit):
    assert "lut.range: " in refusal(range=limit)


def test_an_unknown_encoding_or_multiplier_is_refused_with_those_there_are():
    said = refusal(encodings=["signed_lgo"])
    assert "lut.encodings.0: " in said
    assert "'signed_lgo'" in said
    assert "'signed_log'" in said
    assert "lut.multipliers.0: " in refusal(multipliers=["float9"])


def test_a_size_given_twice_is_refused():
    assert "lut.sizes: found [4, 4]; give every one once" in refusal(sizes=[4, 4])


def test_a_table_of_the_user_has_a_name_of_its_own():
    said = refusal(tables={"signed_ext": "mine.png"})
    assert "lut: tables: signed_ext is the name of an encoding or a multiplier" in said


def test_operands_name_a_language_model_of_the_study():
    said = refusal(operands={"model": "lama"})
    assert "lut.operands.model: nothing is called 'lama'; did you mean 'llama'?" in said


def test_operands_without_language_models_are_refused():
    study = yaml.safe_load(SMOKE.read_text())
    del study["function"], study["robustness"], study["geometry"]
    with pytest.raises(AtlasError, match=r"lut\.operands\.model: .*allowed: none"):
        load(study)
    del study["lut"]["operands"], study["lut"]["language_models"]
    assert load(study).lut.operands is None


def test_the_default_range_and_sizes_are_those_of_the_definition():
    assert Lut().range == 2.0
    assert Lut().sizes == (4, 8, 16, 32, 64, 128, 256, 512)
