import pytest

from tests.cluster.slurm import Cluster, obstacle


@pytest.fixture
def cluster(tmp_path):
    """A Slurm of two nodes that nothing runs on."""
    hindered = obstacle()
    if hindered:
        pytest.skip(f"nothing is sent to a Slurm: {hindered}")
    with Cluster(tmp_path / "slurm") as running:
        yield running
