"""What the configuration may say of the robustness graph."""

import copy
import re

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.errors import AtlasError
from tests.workflow.conftest import ROOT

SMOKE = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())


def study(bits, **robustness):
    given = copy.deepcopy(SMOKE)
    given["function"] |= {"bits": bits}
    given["function"]["sensitivity"] |= {"bits": bits[:1]}
    given["robustness"] |= robustness
    return given


def test_widths_at_which_nothing_is_evaluated_are_refused():
    message = "robustness.bit_widths: 3 is not among function.bits (4, 8); add it there"
    with pytest.raises(AtlasError, match=re.escape(message)):
        load(study([4, 8], bit_widths=[32, 16, 8, 4, 3]))


def test_widths_that_are_evaluated_or_are_floats_are_allowed():
    assert load(study([4, 8], bit_widths=[32, 16, 8, 4])).robustness.bit_widths == (32, 16, 8, 4)


def test_results_of_others_may_have_any_width(tmp_path):
    load(study([4, 8], bit_widths=[32, 3], results_dir=str(tmp_path)))
