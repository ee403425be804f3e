import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.weights.conftest import MODELS

from qatlas.tables import read_table, write_table
from qatlas.weights.manifest import MANIFEST, manifest, matrices
from qatlas.weights.orientation import as_matrix, matrix_shape
from qatlas.weights.roles import KINDS
from qatlas.weights.rows import possible_rows, rows_of_matrices
from qatlas.weights.snapshot import open_snapshot


def to_quantize(folder, path, include, smallest):
    """Columns of each matrix by its name, from the manifest."""
    write_table(manifest(open_snapshot(folder, "m"), list), MANIFEST, path)
    chosen = matrices(read_table(MANIFEST, path), include, smallest)
    return dict(zip(chosen["tensor"], chosen["columns"], strict=True))


@pytest.mark.parametrize("smallest", [1, 300])
@pytest.mark.parametrize("model", MODELS)
def test_rows_are_those_of_the_matrices_that_the_manifest_lists(
    tiny_model, tmp_path, model, smallest
):
    folder = tiny_model(model)
    wanted = to_quantize(folder, tmp_path / "m.parquet", ["*"], smallest)
    snapshot = open_snapshot(folder, "m")
    found = rows_of_matrices(snapshot, ["*"], smallest)
    assert {row.tensor: row.columns for row in found} == wanted
    possible = {(row.tensor, row.columns) for row in possible_rows(snapshot, ["*"], smallest)}
    assert wanted.items() <= possible


def test_a_name_pattern_leaves_rows_out(tiny_model):
    snapshot = open_snapshot(tiny_model("llama"), "m")
    for found in (possible_rows, rows_of_matrices):
        names = {row.tensor for row in found(snapshot, ["*.1.mlp.*"], 1)}
        assert names == {
            f"model.layers.1.mlp.{part}_proj.weight" for part in ("gate", "up", "down")
        }


def test_a_tied_tensor_counts_once(tiny_model):
    folder = tiny_model("gpt2")
    tensors = load_file(folder / "model.safetensors")
    tensors["lm_head.weight"] = tensors["transformer.wte.weight"].clone()
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    names = [row.tensor for row in rows_of_matrices(open_snapshot(folder, "m"), ["*"], 1)]
    assert "transformer.wte.weight" in names
    assert "lm_head.weight" not in names


def test_without_an_architecture_names_tell(tmp_path):
    tensors = {"a.weight": torch.zeros(4, 6), "b.bias": torch.zeros(9), "c": torch.zeros(2, 5)}
    tensors["ids.weight"] = torch.zeros(3, 3, dtype=torch.int64)
    save_file(tensors, tmp_path / "model.safetensors")
    [row] = rows_of_matrices(open_snapshot(tmp_path, "m"), ["*"], 1)
    assert (row.model, row.tensor, row.columns) == ("m", "a.weight", 6)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(), (7,), (4, 6), (0, 3), (3, 5, 7), (2, 3, 4, 5)])
def test_the_shape_is_that_of_the_matrix(shape, kind, transposed):
    matrix = as_matrix(torch.empty(shape), kind, transposed)
    assert matrix_shape(shape, kind, transposed) == tuple(matrix.shape)


def test_headers_are_read_without_pytorch(tiny_model):
    folder = tiny_model("llama")
    program = (
        "import sys; from qatlas.weights.rows import possible_rows;"
        "from qatlas.weights.snapshot import open_snapshot;"
        f"print(len(list(possible_rows(open_snapshot({str(folder)!r}, 'm'), ['*'], 1))));"
        "sys.exit('torch._C' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 0
