"""The codec of docs/add-a-codec.md, taken from the page and added as it says."""

import re
import sys
from math import log2

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from scipy.stats import norm

from qatlas.codecs import Context, create, families
from qatlas.codecs.measure import measure_codec
from tests.codecs import test_every_codec as every
from tests.workflow.conftest import ROOT
from tests.workflow.test_study import rules_of

pytestmark = pytest.mark.xdist_group("study")

PAGE = (ROOT / "docs/add-a-codec.md").read_text()
FILE, CODE = re.search(r'```python title="(\S+)"\n(.*?)```', PAGE, re.DOTALL).groups()
ROW = yaml.safe_load(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL).group(1))["codecs"]
TABLE = "results/rate_distortion/tables/measurements.parquet"


@pytest.fixture
def added(tmp_path, monkeypatch):
    """The codec's name, registered in this process."""
    name = FILE.rpartition("/")[2].removesuffix(".py")
    (tmp_path / f"{name}.py").write_text(CODE)
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path)])
    yield name
    sys.modules.pop(f"{families.__name__}.{name}", None)


def test_the_example_is_short():
    assert len(CODE.splitlines()) < 40
    assert max(map(len, CODE.splitlines())) <= 100


def test_the_example_does_what_its_source_says(added):
    weight = torch.from_numpy(np.random.default_rng(1).standard_normal((200, 5000), np.float32))
    codec = create(added)
    assert codec.nominal_bits == log2(3)
    found = measure_codec(weight, codec, Context())
    assert found.rate.total == pytest.approx(8 / 5 + 32 / 5000)
    # Of a normal variable: what lies beyond the threshold, and its mean magnitude.
    threshold = 0.7 * np.sqrt(2 / np.pi)
    share = 2 * norm.sf(threshold)
    scale = 2 * norm.pdf(threshold) / share
    assert found.distortion.nmse == pytest.approx(1 - share * scale**2, abs=2e-3)


def test_the_example_holds_what_is_true_of_every_codec(added, tmp_path):
    every.test_what_is_saved_is_loaded_bit_for_bit(added, {}, tmp_path)
    every.test_decoding_twice_gives_the_same_float32_matrix_on_the_cpu(added, {})
    every.test_the_order_in_memory_does_not_matter(added, {})
    every.test_zeros_stay_zero(added, {})
    every.test_tiny_weights_are_quantized_or_refused_with_a_remedy(added, {})
    every.test_every_stored_byte_is_charged(added, {}, tmp_path)
    every.test_on_independent_gaussian_weights_no_rate_is_below_shannons_bound(added, {})
    for shape in ((1, 7), (7, 1), (3, 5)):
        every.test_any_shape_is_quantized(added, {}, shape)
    for shape in ((0, 4), (4, 0)):
        every.test_an_empty_matrix_stays_empty(added, {}, shape, tmp_path)
    for dtype in every.FLOATS:
        every.test_the_weights_are_not_modified_and_their_dtype_does_not_matter(added, {}, dtype)
        every.test_nan_and_infinity_are_refused(added, {}, dtype, float("nan"))


@pytest.mark.slow
def test_the_example_added_to_a_finished_study_is_all_that_is_measured(edited):
    config = edited.folder / "config/smoke.yaml"
    described = yaml.safe_load(config.read_text())
    before = pd.read_parquet(edited.folder / TABLE)
    (edited.folder / FILE).write_text(CODE)
    described["codecs"] |= ROW
    config.write_text(yaml.safe_dump(described, sort_keys=False))

    jobs = edited.jobs()
    sweeps = [wildcards for rule, wildcards in jobs if rule == "sweep"]
    assert len(sweeps) == len(["minilm", "_sampled"])
    assert all("family=ternary" in wildcards for wildcards in sweeps)
    assert rules_of(jobs) <= {
        "sweep",
        "rate_distortion_tables",
        "allocation",
        "rate_distortion_summary",
        "rate_distortion_figure",
        "provenance",
        "runtimes",
        "values",
        "paper",
        "latex_kit",
        "explorer",
        "all",
    }

    run = edited.snakemake(TABLE)
    assert run.returncode == 0, run.stdout
    after = pd.read_parquet(edited.folder / TABLE)
    assert set(after.series) - set(before.series) == set(ROW)
    ternary = after[after.codec == "ternary"]
    assert len(ternary) == before.tensor.groupby(before.model).nunique().sum()
    assert ternary.payload_bits_per_weight.between(1.6, 1.601).all()
    others = after[after.codec != "ternary"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, before.reset_index(drop=True))
