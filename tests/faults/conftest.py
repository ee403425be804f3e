import pytest
import yaml

from tests.faults.runs import Faulty
from tests.workflow.conftest import copy_project

STUDY = {
    "models": {"gaussian": {"distribution": "gaussian", "rows": 64, "columns": 64}},
    "codecs": {
        "tensor": {"codec": "uniform", "bits": 4},
        "channel": {"codec": "uniform", "bits": 4, "granularity": "channel"},
    },
    "rate_distortion": {
        "example": {"model": "gaussian", "tensor": "weight"},
        "by_tensor": "tensor",
        "by_channel": "channel",
        "allocation": {"budgets": [4.5], "shown_budget": 4.5},
    },
}
MANIFEST = "results/weights/_sampled/manifest.parquet"
STATISTICS = "results/weights/_sampled/statistics/0.parquet"


@pytest.fixture
def chain(tmp_path):
    """A matrix, its manifest and its statistics: three jobs, one after the other."""
    folder = copy_project(tmp_path).folder
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY))
    return Faulty(folder, (STATISTICS,), "study.yaml")
