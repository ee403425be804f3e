import json
import math
import subprocess
import sys
from dataclasses import asdict, dataclass

import ml_dtypes
import numpy as np
import pytest
import torch

import qatlas
from qatlas.codecs import CodecError, Context, Encoded, create, names, register
from qatlas.codecs.measure import distortion_of, measure_codec, rate_of
from qatlas.codecs.registry import parameters_of
from tests.codecs.test_every_codec import CASES


@register
@dataclass(frozen=True)
class Careless:
    """A codec that forgets something on purpose."""

    rows: int = 4
    value: float = 0.0

    @property
    def nominal_bits(self):
        return 1.0

    def encode(self, weight, context):
        return Encoded(tuple(weight.shape), {"payload": np.zeros(weight.numel(), np.uint8)})

    def decode(self, encoded):
        return torch.full((self.rows, encoded.shape[1]), self.value)


def sample(*shape, mean=0.0):
    weights = np.random.default_rng(8).standard_t(5, shape) + mean
    return torch.from_numpy(weights.astype(np.float32))


def measured(weight, name, **parameters):
    return measure_codec(weight, create(name, **parameters), Context())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("mean", [0.0, 30.0])
def test_distortion_is_that_of_numpy(mean, dtype):
    # More weights than are summed at a time.
    weight = sample(700, 500, mean=mean).bfloat16().to(dtype)
    decoded = weight.float() + 0.1 * sample(700, 500).flip(0)
    w, error = weight.double().numpy(), weight.double().numpy() - decoded.double().numpy()
    found = distortion_of(weight, decoded)
    assert found.mse == pytest.approx(np.mean(error**2))
    assert found.nmse == pytest.approx(np.mean(error**2) / np.var(w))
    assert found.sqnr_db == pytest.approx(10 * np.log10(np.mean(w**2) / np.mean(error**2)))
    assert found.max_abs_error == np.abs(error).max()


def test_the_variance_stays_exact_far_from_zero():
    weight = sample(100, 100, mean=4096.0)
    found = distortion_of(weight, torch.full((100, 100), 4096.0))
    w = weight.double().numpy()
    assert found.nmse == pytest.approx(np.mean((w - 4096) ** 2) / np.var(w), rel=1e-12)


def test_without_loss_the_error_is_zero_and_the_sqnr_infinite():
    weight = sample(5, 7)
    found = distortion_of(weight, weight.clone())
    assert asdict(found) == {"mse": 0, "nmse": 0, "sqnr_db": math.inf, "max_abs_error": 0}
    nothing = torch.zeros(5, 7)
    assert distortion_of(nothing, nothing).sqnr_db == math.inf
    assert distortion_of(nothing, weight).sqnr_db == -math.inf


@pytest.mark.parametrize("seed", range(40))
def test_equal_weights_have_no_normalised_error(seed):
    draws = np.random.default_rng(seed)
    weight = torch.full((int(draws.integers(1, 300)), 3), float(draws.standard_normal()))
    assert math.isnan(distortion_of(weight, weight + 1e-3).nmse)
    assert math.isnan(distortion_of(weight.double(), weight + 1e-3).nmse)


def test_weights_that_are_lost_altogether_have_an_error_of_their_power():
    weight = sample(20, 30)
    found = distortion_of(weight, torch.zeros(20, 30))
    assert found.sqnr_db == pytest.approx(0)
    assert found.max_abs_error == weight.abs().max()


def test_the_parts_of_a_rate_are_the_stored_bytes_and_sum_to_it():
    arrays = {
        "payload": np.zeros(7, np.uint8),
        "scale": np.zeros(3, np.float32),
        "zero_point": np.zeros(2, np.uint8),
        "codebook.first": np.zeros(4, ml_dtypes.bfloat16),
        "signs": np.zeros(1, np.uint64),
    }
    rate = rate_of(Encoded((2, 10), arrays), 20)
    assert asdict(rate) == {
        "payload": 56 / 20,
        "scale": 96 / 20,
        "zero_point": 16 / 20,
        "codebook": 64 / 20,
        "other": 64 / 20,
    }
    assert rate.total == (56 + 96 + 16 + 64 + 64) / 20


@pytest.mark.parametrize("granularity", ["tensor", "channel", 32])
@pytest.mark.parametrize("bits", [1, 3, 8])
def test_a_measured_rate_is_that_of_the_stored_arrays(bits, granularity):
    parameters = {"bits": bits, "granularity": granularity, "grid": "asymmetric"}
    weight = sample(33, 70)
    codec = create("uniform", **parameters)
    arrays = codec.encode(weight, Context()).arrays
    found = measure_codec(weight, codec, Context())
    assert found.rate.total * weight.numel() == pytest.approx(
        8 * sum(len(array.tobytes()) for array in arrays.values())
    )
    assert found.rate.total == pytest.approx(sum(asdict(found.rate).values()))
    assert (found.weights, found.nominal_bits, found.codec) == (33 * 70, bits, "uniform")
    assert json.loads(found.parameters) == asdict(codec)
    assert found.encode_seconds > 0
    assert found.decode_seconds > 0


def test_a_codec_that_decodes_another_shape_is_named_with_its_parameters():
    with pytest.raises(
        CodecError,
        match=r'test_measure \{"rows": 3, "value": 0.0\} decoded shape \(3, 6\) where \(4, 6\)',
    ):
        measure_codec(sample(4, 6), Careless(rows=3), Context())


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_codec_that_decodes_nan_or_infinity_is_named_with_its_parameters(value):
    with pytest.raises(CodecError, match=r'test_measure \{"rows": 4, .*\} decoded NaN or Inf'):
        measure_codec(sample(4, 6), Careless(value=value), Context())


@pytest.mark.parametrize("shape", [(0, 4), (4, 0)])
def test_an_empty_matrix_is_refused(shape):
    with pytest.raises(CodecError, match="an empty matrix has no rate"):
        measured(torch.empty(shape), "uniform", bits=4)


def test_only_a_frozen_dataclass_can_be_registered():
    @dataclass
    class Changing:
        bits: int = 1

    for unfit in (Changing, int):
        with pytest.raises(TypeError, match=f"{unfit.__name__}: a codec is a frozen dataclass"):
            register(unfit)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("unifrom", {"bits": 4}, "no codec 'unifrom'; did you mean 'uniform'?"),
        ("lloydmax", {"bits": 4}, "no codec 'lloydmax'; did you mean 'lloyd_max'?"),
        ("jpeg", {}, f"no codec 'jpeg'; allowed: {', '.join(names())}"),
        ("lloyd_max", {"bit": 4}, "codec lloyd_max: no parameter 'bit'; did you mean 'bits'?"),
        (
            "lloyd_max",
            {"bits": 4, "levels": 3},
            "codec lloyd_max: no parameter 'levels'; allowed: bits, codebook_dtype",
        ),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(name, parameters, message):
    with pytest.raises(CodecError) as refusal:
        create(name, **parameters)
    assert str(refusal.value) == message


@pytest.mark.parametrize(("name", "point"), CASES)
def test_parameters_are_json_with_sorted_keys_that_make_the_codec_again(name, point):
    codec = create(name, **point)
    text = parameters_of(codec)
    assert list(json.loads(text)) == sorted(asdict(codec))
    assert create(name, **json.loads(text)) == codec


def test_listing_the_codecs_does_not_import_pytorch():
    program = (
        "import sys, qatlas; from qatlas.codecs import create; print(*qatlas.codecs.names());"
        "create('uniform', bits=4); create('lloyd_max', bits=2);"
        "sys.exit('torch._C' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.split()) == (0, list(names())), run.stderr


@pytest.mark.parametrize(
    "as_given",
    [
        torch.from_numpy,
        lambda weights: torch.from_numpy(weights).t().contiguous().t(),
        np.asfortranarray,
        lambda weights: weights,
        lambda weights: weights[::-1, ::-1],
        lambda weights: weights.astype(">f4"),
    ],
    ids=["torch", "transposed", "fortran", "numpy", "reversed", "big-endian"],
)
def test_numpy_and_torch_matrices_are_measured_alike(as_given):
    weight = sample(9, 11).numpy()
    expected = measured(torch.from_numpy(weight), "lloyd_max", bits=4)
    found = qatlas.measure(as_given(weight), "lloyd_max", bits=4).measurement
    assert found.rate == expected.rate
    assert asdict(found.distortion) == pytest.approx(asdict(expected.distortion))


def test_bfloat16_matrices_of_numpy_are_measured():
    weight = sample(9, 11).bfloat16()
    array = weight.float().numpy().astype(ml_dtypes.bfloat16)
    expected = measured(weight, "uniform", bits=4)
    assert qatlas.measure(array, "uniform", bits=4).measurement.distortion == expected.distortion


def test_a_record_shows_the_error_on_a_training_sample_where_there_is_one():
    record = qatlas.measure(
        sample(40, 60), "vector", dimension=2, index_bits=3, train_vectors_per_word=8
    )
    assert f"on the training sample  {record.measurement.train_mse:.6g}\n" in str(record)
    assert "training sample" not in str(qatlas.measure(sample(40, 60), "lloyd_max", bits=4))


def test_a_record_prints_as_a_table_of_what_it_holds():
    record = qatlas.measure(sample(40, 60), "lloyd_max", bits=4)
    found = record.measurement
    rows = dict(line.split("  ", 1) for line in str(record).splitlines() if line[0] != " ")
    assert {name: value.strip() for name, value in rows.items()} == {
        "codec": 'lloyd_max {"bits": 4, "codebook_dtype": "float16"}',
        "weights": "2,400",
        "true rate": f"{4 + 256 / 2400:.6f} bits per weight",
        "nominal": "4 bits per weight",
        "MSE": f"{found.distortion.mse:.6g}",
        "MSE / variance": f"{found.distortion.nmse:.6g}",
        "SQNR": f"{found.distortion.sqnr_db:.2f} dB",
        "largest error": f"{found.distortion.max_abs_error:.6g}",
        "gap to Shannon": f"{record.gap_shannon_bits:.4f} bits per weight",
        "gap to empirical": f"{record.gap_empirical_bits:.4f} bits per weight",
    }
    parts = [line.split() for line in str(record).splitlines() if line.startswith("  ")]
    assert [part[:2] for part in parts] == [["payload", "4.000000"], ["codebook", "0.106667"]]
    assert repr(record) == str(record)


@pytest.mark.parametrize(("bits", "gap"), [(2, 0.4553), (3, 0.5717), (4, 0.6409)])
def test_gaps_on_a_gaussian_sample_are_those_of_lloyd_max(bits, gap):
    """Rate of Max (1960), table I, minus 0.5 log2(1 / MSE)."""
    weights = np.random.default_rng(4).standard_normal((512, 512)).astype(np.float32)
    record = qatlas.measure(weights, "lloyd_max", bits=bits)
    nmse = record.measurement.distortion.nmse
    assert record.gap_shannon_bits == pytest.approx(
        record.measurement.rate.total - 0.5 * np.log2(1 / nmse), abs=1e-12
    )
    assert record.gap_shannon_bits == pytest.approx(gap, abs=0.01)
    assert record.gap_empirical_bits == pytest.approx(gap, abs=0.02)


def test_gaps_are_missing_where_nothing_is_lost_or_nothing_varies():
    lossless = qatlas.measure(torch.tensor([[1.0, -1.0], [0.5, 0.25]]), "lloyd_max", bits=2)
    constant = qatlas.measure(torch.full((3, 5), 0.1), "uniform", bits=2)
    for record in (lossless, constant):
        assert math.isnan(record.gap_shannon_bits)
        assert math.isnan(record.gap_empirical_bits)
        assert "gap to Shannon    nan" in str(record)


def test_a_matrix_that_cannot_be_quantized_is_refused():
    with pytest.raises(CodecError, match=r"found torch\.int64 of shape"):
        qatlas.measure(np.arange(6).reshape(2, 3), "uniform", bits=4)
