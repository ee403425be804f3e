import subprocess
import sys

import pytest

pytestmark = pytest.mark.xdist_group("study")

REACHES = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"


def test_a_study_that_names_nothing_remote_is_built_without_a_network(study, cut_off):
    if not cut_off:
        pytest.skip("unshare --net does not work here, so the study was built with a network")
    tried = subprocess.run(
        [*cut_off, sys.executable, "-c", REACHES], check=False, capture_output=True, text=True
    )
    assert "Network is unreachable" in tried.stderr
    assert (study.folder / "results/provenance.json").is_file()
