import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from qatlas.errors import AtlasError
from qatlas.models.architectures.build import build, load
from qatlas.models.architectures.resnet_bk import ResNetBKConfig, ResNetBKForCausalLM
from qatlas.models.architectures.resolvent import (
    full_resolvent,
    left_resolvent,
    plain_left_resolvent,
)
from qatlas.weights.architecture import architecture
from qatlas.weights.roles import role_from_name


def potentials(batch, length, chains, seed=0, dtype=torch.float64):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.uniform(-3, 3, (batch, length, chains))).to(dtype)


def dense_resolvent(potential, broadening):
    """(H - z)^-1 of one chain, by numpy."""
    length = len(potential)
    hamiltonian = np.diag(np.asarray(potential) - 2).astype(complex)
    for i in range(length - 1):
        hamiltonian[i, i + 1] = hamiltonian[i + 1, i] = 1
    return np.linalg.inv(hamiltonian - 1j * broadening * np.eye(length))


chains = given(
    length=st.integers(1, 24),
    seed=st.integers(0, 2**32 - 1),
    broadening=st.sampled_from([0.1, 1.0, 2.5]),
)


@settings(deadline=None, max_examples=40)
@chains
def test_left_diagonal_is_the_corner_of_each_leading_block_s_inverse(length, seed, broadening):
    v = potentials(2, length, 2, seed)
    real, imaginary = left_resolvent(v, broadening)
    for i in range(length):
        corner = dense_resolvent(v[1, : i + 1, 0], broadening)[-1, -1]
        found = complex(real[1, i, 0], imaginary[1, i, 0])
        assert found == pytest.approx(corner, rel=1e-9, abs=1e-12)


@settings(deadline=None, max_examples=40)
@chains
def test_full_diagonal_is_that_of_the_inverse(length, seed, broadening):
    v = potentials(2, length, 2, seed)
    real, imaginary = full_resolvent(v, broadening)
    inverse = dense_resolvent(v[0, :, 1], broadening)
    found = real[0, :, 1].numpy() + 1j * imaginary[0, :, 1].numpy()
    assert found == pytest.approx(np.diag(inverse), rel=1e-9, abs=1e-12)
    # The Ward identity, with rows that the recursions do not compute.
    rows = np.square(np.abs(inverse)).sum(1)
    assert rows == pytest.approx(found.imag / broadening, rel=1e-9)


@settings(deadline=None, max_examples=40)
@chains
def test_both_diagonals_are_bounded(length, seed, broadening):
    v = potentials(1, length, 3, seed)
    for diagonal in (left_resolvent, full_resolvent):
        real, imaginary = diagonal(v, broadening)
        assert (imaginary > 0).all()
        assert (torch.hypot(real, imaginary) <= (1 + 1e-12) / broadening).all()


def test_a_change_of_potential_moves_the_full_diagonal_no_further_than_its_bound():
    v, w = potentials(1, 40, 1, 0), potentials(1, 40, 1, 1)
    (a, b), (c, d) = full_resolvent(v, 0.7), full_resolvent(w, 0.7)
    moved = torch.hypot(a - c, b - d).max()
    assert moved <= (v - w).abs().max() / 0.7**2


def test_long_chains_do_not_overflow():
    v = potentials(1, 5000, 2, dtype=torch.float32)
    for diagonal in (left_resolvent, full_resolvent):
        narrow = torch.complex(*diagonal(v, 1.0))
        wide = torch.complex(*diagonal(v.double(), 1.0))
        assert (narrow - wide).abs().max() < 1e-5


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_compiled_recursion_and_its_adjoint_are_the_plain_ones(dtype):
    v = potentials(3, 60, 5, dtype=dtype).requires_grad_()
    weights = torch.randn(2, *v.shape, dtype=dtype, generator=torch.Generator().manual_seed(0))
    gradients, values = [], []
    for form in (left_resolvent, plain_left_resolvent):
        value = torch.stack(form(v, 0.3))
        gradients.append(torch.autograd.grad((value * weights).sum(), v)[0])
        values.append(value.detach())
    tolerance = {torch.float32: 2e-4, torch.float64: 1e-11}[dtype]
    assert (values[0] - values[1]).abs().max() < tolerance
    assert (gradients[0] - gradients[1]).abs().max() < tolerance * gradients[1].abs().max()


@pytest.mark.parametrize("form", [left_resolvent, plain_left_resolvent, full_resolvent])
def test_gradients_are_those_of_finite_differences(form):
    v = potentials(2, 7, 2).requires_grad_()
    assert torch.autograd.gradcheck(lambda v: form(v, 0.5), v)


def tiny(resolvent="causal", chains=3):
    torch.manual_seed(0)
    config = ResNetBKConfig(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_chains=chains,
        max_position_embeddings=20,
        resolvent=resolvent,
        initializer_range=0.5,
    )
    return ResNetBKForCausalLM(config).eval()


@torch.no_grad()
@pytest.mark.parametrize("changed", [1, 7, 11])
def test_a_future_token_changes_no_logit_of_the_causal_model_and_leaks_into_the_full(changed):
    ids = torch.arange(12)[None]
    other = ids.clone()
    other[0, changed] = 40
    causal, full = tiny(), tiny("full")
    assert torch.equal(causal(ids).logits[:, :changed], causal(other).logits[:, :changed])
    assert not torch.equal(causal(ids).logits[:, changed:], causal(other).logits[:, changed:])
    leak = (full(ids).logits - full(other).logits)[0, :changed].abs().amax(-1)
    assert leak[-1] > 1e-3


def test_all_parameters_get_gradients():
    model = tiny()
    ids = torch.arange(12)[None]
    model(ids, labels=ids).loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_it_is_saved_and_loaded_as_any_model_of_transformers(tmp_path):
    model, ids = tiny(), torch.arange(12)[None]
    for parameter in model.parameters():
        parameter += 0.1 * torch.randn(parameter.shape)
    model.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").is_file()
    for loaded in (AutoModelForCausalLM.from_pretrained(tmp_path), load(tmp_path)):
        assert torch.equal(loaded.eval()(ids).logits, model(ids).logits)
        assert loaded.lm_head.weight is loaded.model.embed_tokens.weight


def test_the_kinds_of_its_tensors_are_known_by_name_or_architecture(tmp_path):
    model = tiny()
    model.save_pretrained(tmp_path)
    known = architecture(tmp_path, "resnet_bk")
    kinds = {}
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        role, source = known.role(name, tuple(tensor.shape))
        assert source == "architecture"
        assert role == role_from_name(name, tuple(tensor.shape)), name
        kinds[name.removeprefix("model.")] = role.kind
    assert kinds["embed_positions.weight"] == "embedding"
    assert kinds["layers.1.mixer.potential.weight"] == "linear"
    assert kinds["layers.1.mlp.fc2.weight"] == "mlp_fc2"


@torch.no_grad()
def test_loss_is_that_of_transformers():
    model, ids = tiny(), torch.arange(12)[None]
    found = model(ids, labels=ids)
    expected = model.loss_function(logits=found.logits, labels=ids, vocab_size=50)
    assert found.loss == pytest.approx(float(expected), rel=1e-6)


def test_sequences_longer_than_the_positions_are_refused():
    with pytest.raises(AtlasError, match="at most 20"):
        tiny()(torch.zeros(1, 21, dtype=torch.long))


def test_an_unknown_resolvent_is_refused():
    with pytest.raises(AtlasError, match="did you mean 'causal'"):
        tiny("casual")


def test_the_architectures_have_equal_sizes_and_matrices_that_groups_divide():
    sizes = {}
    for name in ("llama", "mamba", "resnet_bk"):
        model = build(name, 2048, 256, seed=0)
        sizes[name] = sum(parameter.numel() for parameter in model.parameters())
        again, other = build(name, 2048, 256, seed=0), build(name, 2048, 256, seed=1)
        pairs = zip(model.parameters(), again.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
        assert not torch.equal(next(model.parameters()), next(other.parameters()))
        for module, layer in model.named_modules():
            if isinstance(layer, torch.nn.Linear) and not module.endswith("dt_proj"):
                assert layer.in_features % 128 == 0, module
    assert 1.5e6 <= min(sizes.values()) <= max(sizes.values()) <= 1.05 * min(sizes.values())
    assert 4 * max(sizes.values()) < 8e6


def test_an_unknown_architecture_is_refused():
    with pytest.raises(AtlasError, match="did you mean 'mamba'"):
        build("manba", 2048, 256, seed=0)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(
        AtlasError, match=r"config\.json cannot be read .*take the whole folder of the model"
    ):
        load(tmp_path)
