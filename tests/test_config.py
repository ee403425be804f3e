import copy
import re
from pathlib import Path

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.config.models import HubModel, LocalModel, PackagedModel, SampledModel
from qatlas.config.study import ALL_SAMPLED
from qatlas.config.text import DatasetText, DocstringText, FileText, ParquetText
from qatlas.errors import AtlasError

ROOT = Path(__file__).parents[1]
SHIPPED = [ROOT / "config.yaml", *sorted((ROOT / "config").glob("*.yaml"))]

STUDY = {
    "seed": 1,
    "models": {
        "bert": {"hub": "some/bert", "revision": "main", "include": ["encoder.*"]},
        "noise": {"distribution": "gaussian", "rows": 64},
    },
    "codecs": {
        "by_tensor": {"codec": "uniform", "bits": [2, 4]},
        "by_channel": {"codec": "uniform", "bits": [2, 4], "granularity": "channel"},
        "best": {"codec": "lloyd_max", "bits": 4},
    },
    "rate_distortion": {
        "example": {"model": "bert", "tensor": "encoder.0.weight"},
        "by_tensor": "by_tensor",
        "by_channel": "by_channel",
        "allocation": {"budgets": [3.0, 4.0], "shown_budget": 4.0},
    },
}


def study(changes):
    """The study with values put at dotted keys."""
    changed = copy.deepcopy(STUDY)
    for key, value in changes.items():
        *path, last = key.split("/")
        section = changed
        for name in path:
            section = section[name]
        section[last] = value
    return changed


def problems(given):
    with pytest.raises(AtlasError) as refusal:
        load(given)
    headline, *lines = str(refusal.value).splitlines()
    assert headline == "the configuration is not valid:"
    assert all(line.startswith("  ") for line in lines)
    return [line[2:] for line in lines]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_configuration_is_valid(path):
    loaded = load(yaml.safe_load(path.read_text()))
    assert loaded.families()


def test_what_is_given_is_what_is_loaded():
    loaded = load(STUDY)
    assert isinstance(loaded.models["bert"], HubModel)
    assert isinstance(loaded.models["noise"], SampledModel)
    assert loaded.models["noise"].rows == 64
    assert loaded.families() == ("lloyd_max", "uniform")
    assert load(loaded.model_dump(mode="json")) == loaded


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        ({"package": "p", "folder": "f", "sha256": "0" * 64}, PackagedModel),
        ({"hub": "organisation/name", "revision": "main"}, HubModel),
        ({"path": "some/folder"}, LocalModel),
        ({"distribution": "laplace"}, SampledModel),
    ],
)
def test_one_key_tells_what_kind_of_model_is_meant(model, kind):
    assert type(load(study({"models/another": model})).models["another"]) is kind


def test_a_study_that_names_no_text_takes_docstrings_of_locked_packages():
    text = load(STUDY).text
    assert isinstance(text, DocstringText)
    lock = (ROOT / "requirements.txt").read_text()
    assert set(text.all_packages()) <= set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    assert load(study({"text": {"context": 64}})).text == text.model_copy(update={"context": 64})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ({"packages": ["a"], "validation": ["b"], "test": ["c"]}, DocstringText),
        ({"file": "a.txt"}, FileText),
        ({"parquet": "a.parquet", "column": "line"}, ParquetText),
        ({"dataset": "some/text", "revision": "main"}, DatasetText),
    ],
)
def test_one_key_tells_what_kind_of_text_is_meant(text, kind):
    loaded = load(study({"text": text}))
    assert type(loaded.text) is kind
    assert load(loaded.model_dump(mode="json")) == loaded


def test_a_list_of_values_makes_a_point_for_each():
    grid = {"codec": "uniform", "bits": [2, 3], "granularity": 32, "clip": 3}
    plan = load(study({"codecs": STUDY["codecs"] | {"many": grid}})).plan("uniform")
    assert list(plan) == ["by_tensor", "by_channel", "many"]
    assert plan["by_tensor"] == [{"bits": 2}, {"bits": 4}]
    assert plan["many"] == [{"bits": bits, "granularity": 32, "clip": 3} for bits in (2, 3)]


def test_a_plan_holds_the_points_of_one_codec_only():
    assert load(STUDY).plan("lloyd_max") == {"best": [{"bits": 4}]}
    assert load(STUDY).plan("gguf") == {}


def test_sampled_models_share_their_jobs_and_others_do_not():
    other = {"path": "here", "shards": 3}
    heavy = {"distribution": "laplace"}
    loaded = load(study({"models/heavy": heavy, "models/other": other}))
    assert loaded.batches() == {
        "bert": ("bert",),
        ALL_SAMPLED: ("noise", "heavy"),
        "other": ("other",),
    }


def test_the_codecs_inside_a_codec_are_known():
    inner = {"codec": "rotate", "inner": {"codec": "lloyd_max", "bits": [2, 3]}}
    nested = {"codec": "rotate", "inner": inner, "side": "both"}
    changed = load(study({"codecs": STUDY["codecs"] | {"inside": inner, "nested": nested}}))
    assert changed.codecs_in("rotate") == ("lloyd_max", "rotate")
    assert changed.codecs_in("uniform") == ("uniform",)


KINDS = "a model has exactly one of the keys package, hub, path, distribution; found"
TEXTS = "a text has at most one of the keys packages, file, parquet, dataset; found"
WRONG = {
    "unknown key at the top": ("sed", 3, "sed: there is no such key; did you mean 'seed'?"),
    "unknown key far from any": (
        "colour",
        3,
        "colour: there is no such key; allowed: codecs, figure_formats, function, geometry, lut, …",
    ),
    "unknown key of a model": (
        "models/noise/rowz",
        3,
        "models.noise.rowz: there is no such key; did you mean 'rows'?",
    ),
    "key of another kind of model": (
        "models/noise/revision",
        "main",
        "models.noise.revision: there is no such key; did you mean 'distribution'?",
    ),
    "unknown key of a chapter": (
        "rate_distortion/by_tensors",
        "by_tensor",
        "rate_distortion.by_tensors: there is no such key; did you mean 'by_tensor'?",
    ),
    "unknown key of a section of a chapter": (
        "rate_distortion/example/tenzor",
        "x",
        "rate_distortion.example.tenzor: there is no such key; did you mean 'tensor'?",
    ),
    "text for a number": ("seed", "some", "seed: …valid integer…; found 'some'"),
    "number for a text": ("models/bert/revision", 7, "models.bert.revision: …string; found 7"),
    "text for a list": ("models/bert/include", "*", "models.bert.include: …; found '*'"),
    "text for a section": ("rate_distortion", "on", "rate_distortion: …; found 'on'"),
    "nothing for a section": ("models", None, "models: …dictionary; found None"),
    "number out of range": ("seed", -1, "seed: …greater than or equal to 0; found -1"),
    "too many shards": (
        "models/bert/shards",
        10_001,
        "models.bert.shards: …less than or equal to 10000; found 10001",
    ),
    "shards of one matrix": (
        "models/noise/shards",
        2,
        "models.noise.shards: there is no such key; allowed: …",
    ),
    "unknown distribution": (
        "models/noise/distribution",
        "gausian",
        "models.noise.distribution: …'gaussian', 'laplace' or 'student_t'; found 'gausian'",
    ),
    "no variance": (
        "models/noise/degrees_of_freedom",
        2,
        "models.noise.degrees_of_freedom: …greater than 2; found 2",
    ),
    "hub without organisation": ("models/bert/hub", "bert", "models.bert.hub: …; found 'bert'"),
    "two kinds of model": (
        "models/noise/path",
        "here",
        f"models.noise: {KINDS} path and distribution",
    ),
    "no kind of model, misspelled": (
        "models/other",
        {"smallest": 3, "distribtion": "laplace"},
        f"models.other: {KINDS} 'distribtion', did you mean 'distribution'?",
    ),
    "no kind of model": ("models/other", {"smallest": 3}, f"models.other: {KINDS} none of them"),
    "a model that is no section": ("models/other", "bert", f"models.other: {KINDS} 'bert'"),
    "no model": ("models", {}, "models: …at least 1 …; found {}"),
    "unknown codec": (
        "codecs/new",
        {"codec": "uniforn", "bits": 4},
        "codecs.new: no codec 'uniforn'; did you mean 'uniform'?",
    ),
    "no codec": ("codecs/new", {"bits": 4}, "codecs.new.codec: Field required"),
    "unknown parameter": (
        "codecs/new",
        {"codec": "uniform", "bit": 4},
        "codecs.new: codec uniform: no parameter 'bit'; did you mean 'bits'?",
    ),
    "missing parameter": (
        "codecs/new",
        {"codec": "lloyd_max"},
        "codecs.new: codec lloyd_max: bits is missing",
    ),
    "a bit too many in a list": (
        "codecs/new",
        {"codec": "uniform", "bits": [3, 9]},
        "codecs.new: codec uniform: bits should be less than or equal to 8; found 9",
    ),
    "no value in a list": (
        "codecs/new",
        {"codec": "uniform", "bits": []},
        "codecs.new: bits is an empty list; give at least one value",
    ),
    "a section for a parameter": (
        "codecs/new",
        {"codec": "uniform", "bits": {"from": 2}},
        "codecs.new: codec uniform: bits should be a valid integer; found {'from': 2}",
    ),
    "the same point in two grids": (
        "codecs/new",
        {"codec": "lloyd_max", "bits": [3, 4], "codebook_dtype": "float16"},
        'codecs: new and best both hold lloyd_max {"bits": 4, …}; remove one',
    ),
    "the same point twice in a grid": (
        "codecs/new",
        {"codec": "lloyd_max", "bits": [3, 3]},
        "codecs.new: {'bits': 3} and {'bits': 3} both have 3 bits; give each its own row",
    ),
    "two points of the same rate in a grid": (
        "codecs/new",
        {"codec": "uniform", "bits": 3, "granularity": [32, 64]},
        "codecs.new: {'bits': 3, 'granularity': 32} and {'bits': 3, 'granularity': 64} "
        "both have 3 bits; give each its own row",
    ),
    "an example of a model that there is not": (
        "rate_distortion/example/model",
        "brt",
        "rate_distortion.example.model: nothing is called 'brt'; did you mean 'bert'?",
    ),
    "an example that is left out": (
        "rate_distortion/example/tensor",
        "head.weight",
        "rate_distortion.example.tensor: models.bert.include leaves 'head.weight' out",
    ),
    "a model to plan that there is not": (
        "rate_distortion/allocation/models",
        ["bret"],
        "rate_distortion.allocation.models: nothing is called 'bret'; did you mean 'bert'?",
    ),
    "a series to choose from that there is not": (
        "rate_distortion/allocation/series",
        ["best", "bets"],
        "rate_distortion.allocation.series: nothing is called 'bets'; did you mean 'best'?",
    ),
    "an unknown key of the allocation": (
        "rate_distortion/allocation/budget",
        [4.0],
        "rate_distortion.allocation.budget: there is no such key; did you mean 'budgets'?",
    ),
    "no budgets": (
        "rate_distortion/allocation/budgets",
        [],
        "rate_distortion.allocation.budgets: …at least 1 item…; found []",
    ),
    "a budget of nothing": (
        "rate_distortion/allocation/budgets",
        [0.0, 4.0],
        "rate_distortion.allocation.budgets.0: …greater than 0; found 0.0",
    ),
    "budgets out of order": (
        "rate_distortion/allocation/budgets",
        [4.0, 3.0],
        "rate_distortion.allocation.budgets: found [4.0, 3.0]; give every budget once, …",
    ),
    "a budget twice": (
        "rate_distortion/allocation/budgets",
        [3.0, 4.0, 4.0],
        "rate_distortion.allocation.budgets: found [3.0, 4.0, 4.0]; give every budget once, …",
    ),
    "a shown budget that is none": (
        "rate_distortion/allocation/shown_budget",
        3.5,
        "rate_distortion.allocation: shown_budget is 3.5, which is not a budget; allowed: 3, 4",
    ),
    "two kinds of text": (
        "text",
        {"file": "a.txt", "parquet": "a.parquet"},
        f"text: {TEXTS} file and parquet",
    ),
    "a kind of text, misspelled": ("text", {"fiel": "a"}, f"text: {TEXTS} 'fiel', …'file'?"),
    "an unknown key of the default text": (
        "text",
        {"vocabulry": 512},
        f"text: {TEXTS} 'vocabulry', did you mean 'vocabulary'?",
    ),
    "an unknown key of a text": (
        "text",
        {"file": "a.txt", "held_ot": 0.1},
        "text.held_ot: there is no such key; did you mean 'held_out'?",
    ),
    "a vocabulary without room for bytes": (
        "text",
        {"vocabulary": 256},
        "text.vocabulary: …greater than or equal to 257; found 256",
    ),
    "a package both trained on and held out": (
        "text",
        {"packages": ["scipy", "numpy"], "test": ["numpy"]},
        "text: packages and test both hold numpy; …",
    ),
    "a text that is no section": ("text", "wikitext", "text: …; found 'wikitext'"),
    "a dataset without revision": ("text", {"dataset": "a/b"}, "text.revision: Field required"),
    "an unknown weighting": (
        "rate_distortion/allocation/weightings",
        ["plain", "normalized"],
        "rate_distortion.allocation.weightings.1: …'plain' or 'normalised'; found 'normalized'",
    ),
    "a grid of the bit sweep that there is not": (
        "rate_distortion/by_channel",
        "per_channel",
        "rate_distortion.by_channel: nothing is called 'per_channel'; did you mean 'by_channel'?",
    ),
}


@pytest.mark.parametrize(("key", "value", "message"), WRONG.values(), ids=WRONG)
def test_an_error_names_key_value_and_what_is_allowed(key, value, message):
    (problem,) = problems(study({key: value}))
    expected = ".*".join(map(re.escape, message.split("…")))
    assert re.fullmatch(expected, problem), problem


@pytest.mark.parametrize(
    "name", ["a/b", "it's", 'say"so"', "a b", "../up", ".hidden", "a..b", "a.", "Ünal", "a\n", ""]
)
@pytest.mark.parametrize("section", ["models", "codecs"])
def test_a_name_that_makes_no_plain_path_is_refused(section, name):
    described = {"models": {"distribution": "laplace"}, "codecs": {"codec": "lloyd_max", "bits": 7}}
    given = copy.deepcopy(STUDY)
    given[section][name] = described[section]
    with pytest.raises(AtlasError) as refusal:
        load(given)
    assert f"  {section}.{name}: String should match pattern" in str(refusal.value)
    assert str(refusal.value).endswith(f"; found {name!r}")


@pytest.mark.parametrize("name", ["llama-3.2-1b", "a", "0", "student_t5", "x.y-z_1"])
@pytest.mark.parametrize("section", ["models", "codecs"])
def test_plain_names_are_taken(section, name):
    described = {"models": {"distribution": "laplace"}, "codecs": {"codec": "lloyd_max", "bits": 7}}
    given = copy.deepcopy(STUDY)
    given[section][name] = described[section]
    assert name in getattr(load(given), section)


def test_every_problem_is_told_at_once():
    changes = {"sed": 1, "models/noise/rowz": 2, "codecs/new": {"codec": "unifrm"}}
    assert [problem.partition(":")[0] for problem in problems(study(changes))] == [
        "models.noise.rowz",
        "codecs.new",
        "sed",
    ]


@pytest.mark.parametrize("given", [{}, None, [1], "config.yaml"])
def test_what_is_no_configuration_at_all_is_refused(given):
    assert problems(given)
