import tempfile
from pathlib import Path

import pytest

from tests.cluster.slurm import Cluster, obstacle


@pytest.fixture
def cluster():
    """A Slurm of two nodes that nothing runs on."""
    hindered = obstacle()
    if hindered:
        pytest.skip(f"nothing is sent to a Slurm: {hindered}")
    # Its sockets lie in this folder, and their paths may have no more than 108 characters.
    with tempfile.TemporaryDirectory(prefix="slurm") as folder, Cluster(Path(folder)) as running:
        yield running
