import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import MambaConfig, MambaForCausalLM

from qatlas.models.architectures import scan_kernels
from qatlas.models.architectures.build import load
from qatlas.models.architectures.mamba import FastMambaMixer, use_fast_scan
from qatlas.models.architectures.selective_scan import chunked_scan, plain_scan, selective_scan


def given_to_scan(batch, length, channels, states, seed=0, dtype=torch.float32):
    random = np.random.default_rng(seed)
    arrays = (
        random.standard_normal((batch, length, channels)),
        random.exponential(0.3, (batch, length, channels)),
        -random.exponential(4.0, (channels, states)),
        random.standard_normal((batch, length, states)),
        random.standard_normal((batch, length, states)),
    )
    return [torch.from_numpy(array).to(dtype).requires_grad_() for array in arrays]


def outputs_and_gradients(scan, tensors):
    outputs = scan(*tensors)
    weights = torch.randn(
        outputs.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)
    )
    loss = (outputs * weights.to(outputs.dtype)).sum()
    return [outputs.detach(), *torch.autograd.grad(loss, tensors)]


def agree(found, expected, tolerance):
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert (a - b).abs().max() <= tolerance * max(1, b.abs().max())


@settings(deadline=None, max_examples=25)
@given(
    batch=st.integers(1, 3),
    length=st.integers(1, 70),
    channels=st.integers(1, 9),
    states=st.integers(1, 5),
    seed=st.integers(0, 2**32 - 1),
)
def test_compiled_and_chunked_scans_are_the_plain_one(batch, length, channels, states, seed):
    narrow = given_to_scan(batch, length, channels, states, seed)
    wide = [tensor.detach().double().requires_grad_() for tensor in narrow]
    expected = outputs_and_gradients(plain_scan, wide)
    agree(outputs_and_gradients(selective_scan, narrow), expected, 1e-5)
    agree(outputs_and_gradients(chunked_scan, wide), expected, 1e-10)
    # Anything but float32 is scanned in chunks.
    agree(outputs_and_gradients(selective_scan, wide), expected, 1e-10)


def test_the_forms_agree_over_several_chunks():
    narrow = given_to_scan(2, 200, 24, 16)
    wide = [tensor.detach().double().requires_grad_() for tensor in narrow]
    expected = outputs_and_gradients(plain_scan, wide)
    agree(outputs_and_gradients(selective_scan, narrow), expected, 1e-5)
    agree(outputs_and_gradients(chunked_scan, wide), expected, 1e-10)


def test_the_number_of_threads_changes_no_bit():
    tensors = given_to_scan(5, 40, 12, 4)
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(outputs_and_gradients(selective_scan, tensors))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))


def test_tensors_that_are_not_contiguous_are_scanned_as_they_are():
    tensors = given_to_scan(2, 20, 6, 3)
    turned = [t.detach().transpose(0, 1).contiguous().transpose(0, 1) for t in tensors]
    assert torch.equal(selective_scan(*turned), selective_scan(*tensors))


def test_the_exponential_is_within_two_units_in_the_last_place():
    x = np.linspace(-87, 88, 200_001).astype(np.float32)
    found = np.array([scan_kernels.exponential.py_func(value) for value in x[::400]])
    expected = np.exp(x[::400].astype(np.float64))
    assert np.abs(found / expected - 1).max() < 2 * np.finfo(np.float32).eps


def tiny(**given):
    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        initializer_range=0.3,
        pad_token_id=None,
        **given,
    )
    return MambaForCausalLM(config)


CONFIGS = [{}, {"use_bias": True, "expand": 3}, {"use_conv_bias": False, "conv_kernel": 3}]


@torch.no_grad()
@pytest.mark.parametrize("given", CONFIGS)
def test_logits_are_those_of_transformers(given):
    model = tiny(**given).eval()
    ids = torch.randint(60, (2, 50), generator=torch.Generator().manual_seed(0))
    expected = model(ids, use_cache=False).logits
    found = use_fast_scan(model)(ids, use_cache=False).logits
    assert all(type(layer.mixer) is FastMambaMixer for layer in model.backbone.layers)
    assert expected.abs().max() > 1
    assert not torch.equal(found, expected)
    assert (found - expected).abs().max() < 1e-4


@torch.no_grad()
def test_padding_and_bfloat16_are_those_of_transformers():
    model = tiny().eval()
    ids = torch.randint(60, (2, 20), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[0, :5] = 0
    fast = use_fast_scan(tiny().eval())
    expected = model(ids, attention_mask=mask, use_cache=False).logits
    assert (fast(ids, attention_mask=mask, use_cache=False).logits - expected).abs().max() < 1e-4
    narrow = model.to(torch.bfloat16)(ids, use_cache=False).logits
    found = fast.to(torch.bfloat16)(ids, use_cache=False).logits
    assert (found - narrow).abs().max() < 0.03 * narrow.abs().max()


def test_gradients_are_those_of_transformers():
    plain, fast = tiny().train(), use_fast_scan(tiny()).train()
    ids = torch.randint(60, (2, 20), generator=torch.Generator().manual_seed(0))
    for model in (plain, fast):
        model(ids, labels=ids, use_cache=False).loss.backward()
    for (name, a), b in zip(plain.named_parameters(), fast.parameters(), strict=True):
        assert (a.grad - b.grad).abs().max() <= 1e-4 * a.grad.abs().max(), name


@torch.no_grad()
def test_it_generates_with_transformers_cache():
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    plain, fast = tiny().eval(), use_fast_scan(tiny()).eval()
    wanted = {"max_new_tokens": 5, "do_sample": False}
    assert torch.equal(fast.generate(ids, **wanted), plain.generate(ids, **wanted))


@torch.no_grad()
def test_it_is_saved_as_transformers_own_and_loaded_fast(tmp_path):
    fast = use_fast_scan(tiny()).eval()
    fast.save_pretrained(tmp_path)
    ids = torch.tensor([[3, 1, 4, 1, 5]])
    expected = fast(ids, use_cache=False).logits
    theirs = MambaForCausalLM.from_pretrained(tmp_path).eval()
    assert (theirs(ids, use_cache=False).logits - expected).abs().max() < 1e-4
    loaded = load(tmp_path)
    assert type(loaded.backbone.layers[0].mixer) is FastMambaMixer
    assert torch.equal(loaded(ids, use_cache=False).logits, expected)
