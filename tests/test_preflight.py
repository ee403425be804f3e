import importlib.util
import sys
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import yaml
from safetensors.torch import save_file

from qatlas.codecs import Context, Encoded, Requirements, create, families, register
from qatlas.codecs.base import CodecError, requirements_of
from qatlas.codecs.measure import measure_codec
from qatlas.config.loading import load
from qatlas.errors import AtlasError
from qatlas.preflight import missing_packages, require_feasible
from tests.test_config import SHIPPED

SAMPLED = {"distribution": "gaussian", "rows": 64, "columns": 96}


def study(codecs, models):
    first = next(iter(codecs))
    chapter = {
        "example": {"model": next(iter(models)), "tensor": "weight"},
        "by_tensor": first,
        "by_channel": first,
        "allocation": {"budgets": [3.0], "shown_budget": 3.0},
    }
    return load({"models": models, "codecs": codecs, "rate_distortion": chapter})


def feasible(checked):
    require_feasible(checked, "nowhere/{model}")


def refusal(codecs, **models):
    with pytest.raises(AtlasError) as raised:
        feasible(study(codecs, models))
    return str(raised.value)


@pytest.fixture
def checkpoint(tmp_path):
    """Matrices of rows of 128 and of 48 weights, and what is not quantized."""
    tensors = {
        "weight": torch.zeros(64, 128),
        "short.weight": torch.zeros(200, 48),
        "small.weight": torch.zeros(4, 7),
        "norm.bias": torch.zeros(5000),
        "ids": torch.zeros(5000, 3, dtype=torch.int64),
    }
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    save_file(tensors, folder / "model.safetensors")
    return folder


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_study_is_feasible(path):
    feasible(load(yaml.safe_load(path.read_text())))


@pytest.mark.parametrize(
    ("grid", "key", "wanted", "remedy"),
    [
        (
            {"codec": "uniform", "bits": [2, 4], "granularity": 128},
            "granularity",
            "at least 128",
            "take at most 96, or 'channel'",
        ),
        (
            {"codec": "formats", "data_type": "nf4", "granularity": 128},
            "granularity",
            "at least 128",
            "take at most 96, or 'channel'",
        ),
        (
            {"codec": "gguf_block", "data_type": "TQ2_0"},
            "data_type",
            "a multiple of 256",
            "take 'Q4_0' or 'Q4_1'",
        ),
        (
            {"codec": "rotate", "inner": {"codec": "uniform", "bits": 4, "granularity": 97}},
            "inner.granularity",
            "at least 97",
            "take at most 96",
        ),
    ],
)
def test_rows_too_short_are_refused_with_the_key_and_what_is_allowed(grid, key, wanted, remedy):
    message = refusal({"fine": {"codec": "lloyd_max", "bits": 4}, "grid": grid}, noise=SAMPLED)
    assert message.count("\n") == 1
    assert f"codecs.grid.{key}: a row should have {wanted} weights" in message
    assert "tensor 'weight' of models.noise have 96" in message
    assert remedy in message


@pytest.mark.parametrize(
    ("grid", "told"),
    [
        ({"codec": "uniform", "bits": 9}, "bits should be less than or equal to 8"),
        ({"codec": "uniform", "bits": 1, "grid": "narrow"}, "needs bits of 2 or more"),
        ({"codec": "lloyd_max", "bits": 2.5}, "bits should be a valid integer"),
        ({"codec": "entropy_coded", "rate": 0.05}, "rate should be greater than or equal to 0.1"),
        ({"codec": "entropy_coded_trellis", "rate": 0.4}, "rate should be greater than or equal"),
        ({"codec": "lattice", "lattice": "e8", "bits": 2.5}, "2 for 'e8', 3 for 'e8'"),
        ({"codec": "lattice", "lattice": "leech", "bits": 2.0}, "take coding 'entropy'"),
        ({"codec": "formats", "data_type": "mxfp4", "granularity": 64}, "should be 32; found 64"),
        ({"codec": "gguf_block", "data_type": "q4_0"}, "should be 'Q4_0', 'Q4_1'"),
        ({"codec": "bitsandbytes_4bit", "granularity": 100}, "should be 32, 64, 128"),
    ],
)
def test_a_rate_or_format_out_of_reach_is_refused_with_what_is_allowed(grid, told):
    with pytest.raises(AtlasError) as raised:
        study({"grid": grid}, {"noise": SAMPLED})
    assert f"codecs.grid: codec {grid['codec']}: " in str(raised.value)
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("entropy_coded", {"rate": 0.1}),
        ("entropy_coded", {"rate": 12.0}),
        ("lattice", {"lattice": "e8", "bits": 0.1, "coding": "entropy"}),
        ("lattice", {"lattice": "z", "bits": 12.0, "coding": "entropy"}),
        ("entropy_coded_trellis", {"rate": 0.5, "states": 4}),
        ("entropy_coded_trellis", {"rate": 8.0, "states": 4}),
    ],
)
def test_the_rates_at_the_ends_of_what_is_allowed_are_reached(name, point):
    weight = torch.from_numpy(np.random.default_rng(3).standard_normal((256, 512), np.float32))
    codec = create(name, **point)
    rate = measure_codec(weight, codec, Context()).rate.total
    assert codec.nominal_bits - 0.003 <= rate <= codec.nominal_bits + 0.001


def test_formats_of_fixed_blocks_name_the_data_type():
    message = refusal(
        {"mx": {"codec": "formats", "data_type": "mxfp4"}}, noise=SAMPLED | {"columns": 20}
    )
    assert "codecs.mx.data_type: a row should have at least 32 weights" in message
    assert "take a data_type with blocks of at most 20" in message


@pytest.mark.parametrize(
    "grid",
    [
        {"codec": "uniform", "bits": 4, "granularity": 96},
        {"codec": "uniform", "bits": 4, "granularity": "channel"},
        {"codec": "formats", "data_type": "fp8_e4m3"},
        {"codec": "gguf_block", "data_type": "Q8_0"},
        {"codec": "bitsandbytes_4bit", "granularity": 4096},
    ],
)
def test_what_just_fits_is_taken(grid):
    feasible(study({"grid": grid}, {"noise": SAMPLED}))


def test_the_shortest_row_of_a_checkpoint_is_named(checkpoint):
    grids = {n: {"codec": "uniform", "bits": 4, "granularity": n} for n in (48, 49, 200)}
    codecs = {f"group{n}": grid for n, grid in grids.items()}
    message = refusal(codecs, local={"path": str(checkpoint)})
    assert "codecs.group48" not in message
    assert "codecs.group49.granularity" in message
    assert message.count("'short.weight' of models.local have 48") == 2
    assert "(matrices refused: 2)" in message.splitlines()[-1]


def test_only_the_tensors_that_a_study_quantizes_count(checkpoint):
    codecs = {"group": {"codec": "uniform", "bits": 4, "granularity": 128}}
    feasible(study(codecs, {"local": {"path": str(checkpoint), "include": ["weight"]}}))
    local = {"path": str(checkpoint), "smallest": 1, "include": ["small.*", "weight"]}
    assert "'small.weight'" in refusal(codecs, local=local)


@pytest.mark.parametrize("damage", ["missing", "empty", "truncated"])
def test_a_model_that_cannot_be_read_is_left_to_its_job(checkpoint, damage):
    stored = checkpoint / "model.safetensors"
    if damage == "truncated":
        stored.write_bytes(stored.read_bytes()[:100])
    else:
        stored.unlink()
    folder = checkpoint / "none" if damage == "missing" else checkpoint
    codecs = {"group": {"codec": "uniform", "bits": 4, "granularity": 4096}}
    package = {"package": "no-such-package", "folder": "x", "sha256": "0" * 64}
    hub = {"hub": "no/such", "revision": "main"}
    models = {"local": {"path": str(folder)}, "packaged": package, "hub": hub}
    feasible(study(codecs, models))


def write_codec(folder, name, requirement):
    (folder / f"{name}.py").write_text(
        "from dataclasses import dataclass\n"
        "from qatlas.codecs import Requirements, register\n"
        "@register\n@dataclass(frozen=True)\n"
        "class Calibrated:\n"
        "    nominal_bits = 4.0\n"
        f"    requirements = {requirement}\n"
    )


def test_a_codec_that_needs_a_second_moment_is_refused(tmp_path, monkeypatch):
    write_codec(tmp_path, "calibrated", "Requirements(second_moment=True)")
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path)])
    codecs = {"fine": {"codec": "lloyd_max", "bits": 4}, "needy": {"codec": "calibrated"}}
    message = refusal(codecs, noise=SAMPLED)
    assert "codecs.needy: calibrated" in message
    assert "second moment" in message
    assert "(fine)" in message
    nested = {"needy": {"codec": "rotate", "inner": {"codec": "calibrated"}}}
    assert "codecs.needy: rotate" in refusal(nested, noise=SAMPLED)
    monkeypatch.delitem(sys.modules, f"{families.__name__}.calibrated")


@register
@dataclass(frozen=True)
class NeedsMoment:
    @property
    def requirements(self):
        return Requirements(second_moment=True)

    @property
    def nominal_bits(self):
        return 1.0

    def encode(self, weight, context):
        return Encoded(tuple(weight.shape), {})

    def decode(self, encoded):
        return torch.zeros(encoded.shape)


def test_the_ruler_asks_for_the_second_moment_that_a_codec_needs():
    weight = torch.ones(2, 3)
    with pytest.raises(CodecError, match=r"test_preflight \{\} needs the second moment"):
        measure_codec(weight, NeedsMoment(), Context())
    measure_codec(weight, NeedsMoment(), Context(second_moment=torch.eye(3)))


def test_a_codec_that_says_nothing_needs_nothing():
    assert requirements_of(create("lloyd_max", bits=4)) == Requirements()
    assert Requirements().any_row_will_do


def test_grids_whose_package_is_missing_are_known_beforehand(monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *_: None if name == "gguf" else find(name)
    )
    peer = {"codec": "gguf_block", "data_type": ["Q4_0", "Q8_0"]}
    inner = {"codec": "uniform", "bits": 4}
    codecs = {"peer": peer, "rotated_peer": {"codec": "rotate", "inner": peer}}
    others = {"plain": inner, "rotated": {"codec": "rotate", "inner": inner}}
    found = missing_packages(study(codecs | others, {"noise": SAMPLED}))
    assert found == {"peer": ("gguf",), "rotated_peer": ("gguf",)}
