"""What the configuration of layers refers to."""

from copy import deepcopy

import pytest

from qatlas.config.loading import load
from qatlas.errors import AtlasError
from tests.geometry.conftest import GIVEN


def with_layers(**layers):
    given = deepcopy(GIVEN)
    given["geometry"]["layers"] = layers
    return given


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"encoders": ["minilmm"]}, r"geometry\.layers\.encoders: .*did you mean 'minilm'"),
        (
            {"language_models": ["lama"]},
            r"geometry\.layers\.language_models: .*did you mean 'llama'",
        ),
        ({"language_models": ["llama"], "bits": [1, 4]}, r"geometry\.layers\.bits"),
        ({"language_models": ["llama"], "bit": [4]}, r"bit"),
        (
            {"language_models": ["llama"], "tokens": 3},
            r"geometry\.layers\.tokens: found 3, less than one window of text\.context",
        ),
    ],
)
def test_layers_of_models_that_are_not_there_are_refused(layers, message):
    with pytest.raises(AtlasError, match=message):
        load(with_layers(**layers))


def test_layers_need_the_section_that_describes_models():
    given = with_layers(language_models=["llama"])
    del given["function"], given["robustness"], given["lut"]
    with pytest.raises(AtlasError, match=r"geometry\.layers: there is no section function"):
        load(given)


def test_a_study_may_go_without_layers():
    given = deepcopy(GIVEN)
    del given["geometry"]["layers"]
    assert load(given).geometry.layers is None
