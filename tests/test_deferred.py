import subprocess
import sys

import pytest

from qatlas.deferred import deferred

DRAWN_WITHOUT_PYTORCH = """
import sys
from qatlas.deferred import torch
from qatlas.plotting import new_figure
figure, (panel,) = new_figure(2, 2)
panel.plot([1, 2], [3, 4])
assert "torch" not in sys.modules
assert torch.zeros(2).sum() == 0
assert torch.Tensor is sys.modules["torch"].Tensor
"""


def test_pytorch_is_imported_when_it_is_first_used_and_not_for_a_figure():
    subprocess.run([sys.executable, "-c", DRAWN_WITHOUT_PYTORCH], check=True)


def test_a_module_that_is_not_installed_is_missed_at_once():
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        deferred("no_such_module")
