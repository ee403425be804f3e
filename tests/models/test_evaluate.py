import dataclasses
import math
from hashlib import sha256

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.errors import AtlasError
from qatlas.models import divergence
from qatlas.models.architectures.build import build
from qatlas.models.divergence import compare, in_bfloat16, token_kl, weight_mse
from qatlas.models.likelihood import evaluate, likelihood
from qatlas.models.windows import Text, Windows, batches, sha256_of
from tests.models.tiny import VOCABULARY, chain_text, tiny_llama


@pytest.fixture
def llama():
    return tiny_llama()


def plain_evaluation(model, tokens, context, stride):
    """The recipe of transformers' documentation, "Perplexity of fixed-length models"."""
    ids = torch.from_numpy(tokens.astype(np.int64))[None]
    total, count, end_before = 0.0, 0, 0
    for begin in range(0, ids.shape[1], stride):
        end = min(begin + context, ids.shape[1])
        targets = ids[:, begin:end].clone()
        targets[:, : -(end - end_before)] = -100
        scored = int((targets[:, 1:] != -100).sum())
        if scored:
            with torch.no_grad():
                loss = model(ids[:, begin:end], labels=targets).loss
            total, count = total + float(loss) * scored, count + scored
        end_before = end
        if end == ids.shape[1]:
            break
    return total / count, count


@pytest.mark.parametrize(
    ("tokens", "context", "stride"),
    [(200, 40, 40), (215, 40, 40), (201, 40, 40), (200, 40, 10), (213, 40, 17), (40, 40, 1)],
)
@pytest.mark.parametrize("batch", [1, 3])
def test_perplexity_is_that_of_plain_transformers(llama, tokens, context, stride, batch):
    text = chain_text(tokens)
    found = evaluate(llama, text, Windows(context, stride), batch, "cpu")
    nll, count = plain_evaluation(llama, text.tokens, context, stride)
    assert found.scored_tokens == count
    assert found.perplexity == pytest.approx(math.exp(nll), rel=1e-5)


@pytest.mark.parametrize("architecture", ["mamba", "resnet_bk"])
def test_the_other_architectures_are_evaluated_alike(architecture):
    model = build(architecture, VOCABULARY, 32, seed=0).eval()
    text = chain_text(130)
    found = evaluate(model, text, Windows(32, 20), 2, "cpu")
    nll, _ = plain_evaluation(model, text.tokens, 32, 20)
    assert found.perplexity == pytest.approx(math.exp(nll), rel=1e-5)


@settings(deadline=None)
@given(
    size=st.integers(2, 60),
    context=st.integers(2, 20),
    stride=st.integers(1, 20),
    batch=st.integers(1, 4),
)
def test_every_token_is_scored_once_but_those_that_nothing_predicts(size, context, stride, batch):
    tokens = np.arange(size)
    if size < context or stride > context:
        return
    scored = [
        token
        for part in batches(tokens, Windows(context, stride), batch)
        for token in part.tokens[:, part.first_scored :].flatten().tolist()
    ]
    begins = set(range(0, size, context)) if stride == context else {0}
    assert sorted(scored) == sorted(set(range(size)) - begins)


def test_bits_per_byte_count_the_bytes_of_the_scored_tokens(llama):
    text = chain_text(100)
    found = evaluate(llama, text, Windows(50, 50), 2, "cpu")
    scored = np.concatenate([text.tokens[1:50], text.tokens[51:]]).astype(int)
    bits = found.nll * 98 / math.log(2)
    assert found.bits_per_byte == pytest.approx(bits / (scored + 1).sum())


def test_the_standard_error_is_the_spread_of_repeated_texts():
    random = np.random.default_rng(0)
    means, errors = [], []
    for _ in range(400):
        counts = random.integers(20, 60, 50)
        # The tokens of a window have a level in common: they are not independent.
        sums = counts * random.normal(3, 0.5, 50) + random.normal(0, 1, 50) * np.sqrt(counts)
        found = likelihood(sums, counts, 1)
        means.append(found.nll)
        errors.append(found.nll_standard_error)
    assert np.mean(errors) == pytest.approx(np.std(means), rel=0.1)
    assert found.perplexity_standard_error == found.perplexity * found.nll_standard_error


def test_a_single_window_has_no_standard_error(llama):
    found = evaluate(llama, chain_text(30), Windows(30, 30), 1, "cpu")
    assert found.nll_standard_error is None
    assert found.perplexity_standard_error is None


def shifted(model, amount, seed=0):
    """A copy whose matrices have noise of a known size."""
    other = tiny_llama()
    other.load_state_dict(model.state_dict())
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in other.model.layers.parameters():
            parameter += amount * torch.randn(parameter.shape, generator=generator)
    return other


def test_divergences_are_those_of_all_logits_at_once(llama):
    text, windows = chain_text(97), Windows(32, 24)
    models = {"near": shifted(llama, 0.01), "far": shifted(llama, 0.3)}
    found = compare(llama, models, text, windows, 2, "cpu")
    ids = torch.from_numpy(text.tokens.astype(np.int64))
    for name, model in models.items():
        kl, squares, same, places = [], [], [], []
        for begin in (0, 24, 48, 72):
            window = ids[begin : begin + 32][None]
            first = 8 if begin else 1
            with torch.no_grad():
                p, q = (m(window).logits[0, first - 1 : -1].double() for m in (llama, model))
            log_p, log_q = p.log_softmax(-1), q.log_softmax(-1)
            kl.append(F.kl_div(log_q, log_p, log_target=True, reduction="none").sum(-1))
            squares.append((p - q).square().mean(-1))
            same.append(p.argmax(-1) == q.argmax(-1))
            places.append(torch.arange(first - 1, window.shape[1] - 1))
        kl, squares, same, places = map(torch.cat, (kl, squares, same, places))
        ours = found[name]
        assert kl.numel() == ours.likelihood.scored_tokens == 96
        assert ours.mean_kl == pytest.approx(float(kl.mean()), rel=1e-4)
        assert ours.median_kl == pytest.approx(float(kl.quantile(0.5)), rel=1e-4)
        assert ours.p99_kl == pytest.approx(float(kl.quantile(0.99)), rel=1e-4)
        assert ours.logits_mse == pytest.approx(float(squares.mean()), rel=1e-4)
        assert ours.top1_agreement == pytest.approx(float(same.double().mean()))
        by_position = [float(squares[places == i].mean()) for i in range(31)]
        assert ours.logits_mse_by_position == pytest.approx(by_position, rel=1e-4)
        alone = evaluate(model, text, windows, 2, "cpu")
        assert dataclasses.astuple(ours.likelihood) == pytest.approx(dataclasses.astuple(alone))
    assert found["far"].mean_kl > 10 * found["near"].mean_kl > 0


@pytest.mark.parametrize("tokens", [1, 7])
def test_pieces_of_a_large_vocabulary_change_nothing(llama, tokens, monkeypatch):
    text, models = chain_text(215), {"bfloat16": in_bfloat16(llama)}
    whole = compare(llama, models, text, Windows(40, 17), 3, "cpu")["bfloat16"]
    monkeypatch.setattr(divergence, "_PIECE_BYTES", tokens * 4 * VOCABULARY)
    pieces = compare(llama, models, text, Windows(40, 17), 3, "cpu")["bfloat16"]
    for field in dataclasses.fields(whole):
        np.testing.assert_array_equal(getattr(pieces, field.name), getattr(whole, field.name))


def test_a_model_does_not_diverge_from_itself(llama):
    found = compare(llama, {"same": llama}, chain_text(64), Windows(32, 32), 2, "cpu")["same"]
    assert found.logits_mse == found.mean_kl == found.p99_kl == 0
    assert found.top1_agreement == 1


def test_the_noise_floor_of_bfloat16_is_small_but_there(llama):
    floor = in_bfloat16(llama)
    assert next(llama.parameters()).dtype == torch.float32
    found = compare(llama, {"bf16": floor}, chain_text(200), Windows(50, 50), 2, "cpu")["bf16"]
    assert 1e-8 < found.mean_kl < 1e-2


@settings(deadline=None)
@given(
    scale=st.sampled_from([1e-4, 1e-2, 1.0, 30.0, 1000.0]),
    sharpness=st.sampled_from([1.0, 50.0, 500.0]),
    seed=st.integers(0, 2**32 - 1),
)
def test_kl_is_that_in_double_precision_however_near_or_far(scale, sharpness, seed):
    random = np.random.default_rng(seed)
    p = torch.from_numpy(sharpness * random.standard_normal((3, 40))).float()
    q = p + torch.from_numpy(scale * random.standard_normal((3, 40))).float()
    log_p, log_q = p.double().log_softmax(-1), q.double().log_softmax(-1)
    expected = (log_p.exp() * (log_p - log_q)).sum(-1)
    found = token_kl(p.log_softmax(-1), q.log_softmax(-1)).double()
    assert (found >= 0).all()
    assert ((found - expected).abs() <= 1e-3 * expected + 3e-8 * sharpness).all()


def test_weight_mse_is_over_all_named_weights(llama):
    other = tiny_llama(seed=1)
    names = [name for name, p in llama.named_parameters() if p.ndim == 2]
    assert len(names) > 10
    squares = [
        (llama.get_parameter(name) - other.get_parameter(name)).detach().square().flatten()
        for name in names
    ]
    expected = float(torch.cat(squares).double().mean())
    assert weight_mse(llama, other, names) == pytest.approx(expected, rel=1e-6)
    with pytest.raises(AtlasError, match="no_such"):
        weight_mse(llama, other, ["no_such"])


def test_a_text_shorter_than_one_context_is_refused(llama):
    with pytest.raises(AtlasError, match="fewer than one context of 64"):
        evaluate(llama, chain_text(40), Windows(64, 64), 2, "cpu")


def test_tokens_of_another_tokenizer_are_refused(llama):
    text = Text(np.array([1, 2, 99]), np.ones(100, np.int64))
    with pytest.raises(AtlasError, match="token 99, but the model knows 0 to 63"):
        evaluate(llama, text, Windows(3, 3), 2, "cpu")


def test_models_with_other_vocabularies_are_not_compared(llama):
    other = build("resnet_bk", 2 * VOCABULARY, 32, seed=0)
    with pytest.raises(AtlasError, match="128 tokens"):
        compare(llama, {"other": other}, chain_text(64), Windows(32, 32), 2, "cpu")


@pytest.mark.parametrize(
    ("context", "stride", "message"), [(1, 1, "context = 1"), (8, 9, "stride = 9"), (8, 0, "= 0")]
)
def test_windows_that_score_nothing_or_leave_gaps_are_refused(context, stride, message):
    with pytest.raises(AtlasError, match=message):
        Windows(context, stride)


def test_the_hash_of_a_text_is_that_of_its_tokens_not_of_how_they_are_stored():
    tokens = np.array([1, 2, 3])
    assert sha256_of(tokens.astype(np.uint16)) == sha256_of(tokens.astype(">i8"))
    assert sha256_of(tokens) != sha256_of(tokens[::-1])
    assert sha256_of(tokens) == sha256(b"\1\0\2\0\3\0").hexdigest()
    assert sha256_of(tokens + (1 << 16)) != sha256_of(tokens)
