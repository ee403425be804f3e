import dataclasses
import itertools
import logging
import math

import numpy as np
import pytest
import torch

from qatlas.errors import AtlasError
from qatlas.models.architectures.build import build
from qatlas.models.schema import LOSSES
from qatlas.models.train import Training, learning_rate, train, windows_of_step
from qatlas.tables import read_table, write_table
from tests.models.tiny import chain_text, tiny_llama

TRAINING = Training(
    steps=23,
    batch=4,
    context=24,
    learning_rate=1e-2,
    final_share=0.1,
    warmup_steps=5,
    weight_decay=0.1,
    clip=1.0,
    precision="float32",
    validate_every=5,
    seed=3,
)
TOKENS, VALIDATION = chain_text(5000, seed=1).tokens, chain_text(300, seed=2)


def trained(path, model=None, training=TRAINING):
    model = model or tiny_llama()
    rows = train(model, TOKENS, VALIDATION, training, path / "checkpoint.pt", "cpu")
    return model, rows


class KilledError(Exception):
    """What stands for a kill: the process ends between two steps."""


def killed_at(model, calls):
    forward, made = model.forward, []

    def counting(*args, **given):
        if model.training:
            made.append(None)
            if len(made) > calls:
                raise KilledError
        return forward(*args, **given)

    model.forward = counting
    return model


@pytest.mark.parametrize("calls", [2, 5, 13, 22])
def test_a_killed_training_ends_in_the_weights_of_an_unbroken_one(tmp_path, calls):
    unbroken, expected = trained(tmp_path / "unbroken")
    with pytest.raises(KilledError):
        trained(tmp_path, killed_at(tiny_llama(), calls))
    model = tiny_llama()
    seen = killed_at(model, 10_000)
    _, rows = trained(tmp_path, seen)
    assert rows == expected
    for (name, a), b in zip(unbroken.named_parameters(), model.parameters(), strict=True):
        assert torch.equal(a, b), name


def test_a_training_that_is_taken_up_repeats_nothing_that_was_validated(tmp_path):
    with pytest.raises(KilledError):
        trained(tmp_path, killed_at(tiny_llama(), 13))
    # Ten steps were behind the last checkpoint, so thirteen are left.
    trained(tmp_path, killed_at(tiny_llama(), 13))
    trained(tmp_path, killed_at(tiny_llama(), 0))


@pytest.mark.parametrize("architecture", ["llama", "mamba", "resnet_bk"])
def test_each_architecture_learns_what_may_follow_what(tmp_path, architecture):
    model = build(architecture, 64, 24, seed=0)
    training = dataclasses.replace(TRAINING, learning_rate=3e-3, batch=8, steps=30)
    _, rows = trained(tmp_path, model, training)
    losses = [row["validation_nll"] for row in rows]
    assert losses[0] == pytest.approx(math.log(64), abs=1)
    # One of four follows, so that log 4 is the least there is.
    assert math.log(4) - 0.05 < losses[-1] < 0.8 * math.log(64)


def test_the_loss_curve_is_a_table(tmp_path):
    _, rows = trained(tmp_path)
    assert [row["step"] for row in rows] == [0, 5, 10, 15, 20, 23]
    assert [row["tokens"] for row in rows] == [96 * row["step"] for row in rows]
    assert rows[0]["training_nll"] is None
    whole = [{"architecture": "llama", "seed": 3, **row} for row in rows]
    write_table(whole, LOSSES, tmp_path / "losses.parquet")
    table = read_table(LOSSES, tmp_path / "losses.parquet")
    assert table["training_nll"].iloc[1:].notna().all()


def test_the_seed_orders_the_text():
    assert windows_of_step(TOKENS, TRAINING, 3).shape == (4, 24)
    same = windows_of_step(TOKENS, TRAINING, 3)
    assert np.array_equal(same, windows_of_step(TOKENS, TRAINING, 3))
    assert not np.array_equal(same, windows_of_step(TOKENS, TRAINING, 4))
    other = dataclasses.replace(TRAINING, seed=4)
    assert not np.array_equal(same, windows_of_step(TOKENS, other, 3))


def test_a_text_of_one_context_is_enough():
    assert np.array_equal(windows_of_step(TOKENS[:24], TRAINING, 0)[2], TOKENS[:24])


def test_the_learning_rate_rises_and_falls_as_a_cosine():
    rates = [learning_rate(TRAINING, step) for step in range(24)]
    assert rates[:5] == pytest.approx([0.002, 0.004, 0.006, 0.008, 0.01])
    assert rates[5] == pytest.approx(0.01)
    assert rates[14] == pytest.approx((0.01 + 0.001) / 2)
    assert rates[23] == pytest.approx(0.001)
    assert all(a > b for a, b in itertools.pairwise(rates[5:]))


def test_a_checkpoint_of_another_training_is_not_gone_on_with(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "qatlas")
    trained(tmp_path)
    other = dataclasses.replace(TRAINING, learning_rate=5e-3)
    model, rows = trained(tmp_path, training=other)
    assert "is of another training" in caplog.text
    fresh, expected = trained(tmp_path / "fresh", training=other)
    assert rows == expected
    pairs = zip(model.parameters(), fresh.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_damaged_checkpoint_is_not_gone_on_with(tmp_path, caplog):
    caplog.set_level(logging.WARNING, "qatlas")
    _, expected = trained(tmp_path)
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    _, rows = trained(tmp_path)
    assert "damaged" in caplog.text
    assert rows == expected


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    model = tiny_llama()
    with torch.no_grad():
        model.model.norm.weight[0] = math.inf
    with pytest.raises(AtlasError, match="lower learning_rate"):
        trained(tmp_path, model)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_text_shorter_than_one_context_is_refused(tmp_path):
    with pytest.raises(AtlasError, match="fewer than one context of 24"):
        train(tiny_llama(), TOKENS[:20], VALIDATION, TRAINING, tmp_path / "c.pt", "cpu")
