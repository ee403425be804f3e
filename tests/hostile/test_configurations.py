"""Configurations with typos, wrong types, huge numbers, circles, and code in them."""

import copy
import datetime
import math
import os
import pickle
import socket

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from qatlas.config.check import main
from qatlas.config.files import read_config_file
from qatlas.config.loading import load
from qatlas.config.study import Study
from qatlas.errors import AtlasError
from tests.hostile.conftest import forbidden, readable_refusal

STUDY = {
    "seed": 1,
    "models": {
        "bert": {"hub": "some/bert", "revision": "main"},
        "noise": {"distribution": "gaussian", "rows": 64},
    },
    "codecs": {
        "by_tensor": {"codec": "uniform", "bits": [2, 4]},
        "by_channel": {"codec": "uniform", "bits": [2, 4], "granularity": "channel"},
    },
    "rate_distortion": {
        "example": {"model": "bert", "tensor": "encoder.0.weight"},
        "by_tensor": "by_tensor",
        "by_channel": "by_channel",
        "allocation": {"budgets": [3.0, 4.0], "shown_budget": 4.0},
    },
}


def bomb(levels, width, opening, closing):
    lines = [f"a0: &a0 {opening('x')}"]
    for level in range(1, levels):
        inner = ", ".join(closing(place, f"*a{level - 1}") for place in range(width))
        lines.append(f"a{level}: &a{level} {opening(inner)}")
    return "\n".join(lines).encode()


BROKEN_FILES = {
    "an empty file": (b"", "found nothing"),
    "comments alone": (b"# models\n", "found nothing"),
    "a list": (b"- models\n", "found a list"),
    "a text": (b"models", "found a str"),
    "a number": (b"3", "found a int"),
    "two documents": (b"seed: 1\n---\nseed: 2\n", "not YAML"),
    "latin-1": ("models: café".encode("latin-1"), "not UTF-8"),
    "UTF-16": ("models: x".encode("utf-16"), "not UTF-8"),
    "NUL": (b"models: \0", "not YAML"),
    "a tab": (b"models:\n\tx: 1", "line 2"),
    "a bracket too few": (b"models: [1, 2", "not YAML"),
    "a quote too few": (b"models: 'x", "not YAML"),
    "a colon too many": (b"models: a: b", "not YAML"),
    "a key twice": (b"seed: 1\nmodels: {}\nseed: 2\n", "line 3: the key 'seed'"),
    "a key twice inside": (b"models:\n  m: {rows: 1, rows: 2}\n", "the key 'rows'"),
    "a key twice in JSON": (b'{"seed": 1, "seed": 2}', "the key 'seed'"),
    "a list that holds itself": (b"models: &a [*a]", "without end"),
    "a mapping that holds itself": (b"models: &a {x: *a}", "without end"),
    "a circle of two": (b"a: &a {b: &b {a: *a}}", "without end"),
    "an alias of nothing": (b"models: *a", "no anchor &a above it"),
    "lists that double": (
        bomb(40, 9, "[{}]".format, lambda _, alias: alias),
        "entries so far",
    ),
    "mappings that double": (
        bomb(40, 9, "{{k: 1, {}}}".format, lambda place, alias: f"k{place}: {alias}"),
        "entries so far",
    ),
    "lists nested without end": (b"a: " + b"[" * 100_000, "24 deep"),
    "mappings nested without end": (b"{a: " * 50_000, "24 deep"),
    "blocks nested without end": (
        b"".join(b" " * depth + b"a:\n" for depth in range(300)),
        "24 deep",
    ),
    "JSON nested without end": (b'{"a":' * 100_000, "24 deep"),
    "more entries than any study": (b"a: [" + b"1," * 30_000 + b"1]", "entries so far"),
    "two megabytes": (b"# " + b"x" * 2**21, "larger than"),
    "a template": (b"__use_yte__: true\nseed: '?1 + 1'", "templates run code"),
    "a template that is switched off": (b"__use_yte__: false\nseed: 1", "templates run code"),
    "a call of Python": (
        b"models: !!python/object/apply:os.system ['touch pwned']",
        "python/object/apply",
    ),
    "an object of Python": (b"models: !!python/object:subprocess.Popen {}", "python/object"),
    "a new object of Python": (b"models: !!python/object/new:os.system [x]", "python/object/new"),
    "a name of Python": (b"models: !!python/name:os.system", "python/name"),
    "a module of Python": (b"models: !!python/module:antigravity", "python/module"),
    "a tuple of Python": (b"models: !!python/tuple [1]", "python/tuple"),
    "bytes": (b"models: !!binary aGFsbG8=", "!!binary"),
    "a set": (b"models: !!set {a, b}", "!!set"),
    "a tag of nobody": (b"models: !secret x", "!secret"),
    "a tag of a repository": (b"models: !<tag:example.org,2000:x> y", "example.org"),
    "a number of 10000 digits": (b"seed: " + b"9" * 10_000, "not YAML"),
    "a date that is none": (b"seed: 2026-99-99", "not YAML"),
    "a pickle": (pickle.dumps({"models": {}}), "not UTF-8"),
    "HTML": (b"<!doctype html>\n<p>not: found: here</p>", "not YAML"),
}


@pytest.mark.parametrize(("content", "said"), BROKEN_FILES.values(), ids=BROKEN_FILES)
def test_a_broken_file_is_refused_by_its_name(content, said, tmp_path):
    path = tmp_path / "theirs.yaml"
    path.write_bytes(content)
    with readable_refusal("theirs.yaml", said):
        read_config_file(path)


def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", "/dev/zero", tmp_path / "missing"):
        with readable_refusal("configuration"):
            read_config_file(path)


def test_aliases_and_merges_of_a_bearable_size_are_taken(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("a: &a {x: 1}\nb: {<<: *a, y: [*a, *a]}\n")
    assert read_config_file(path) == yaml.safe_load(path.read_text())


def test_the_check_says_nothing_of_a_sound_study_and_one_thing_of_another(tmp_path):
    sound, broken = tmp_path / "sound.yaml", tmp_path / "broken.yaml"
    sound.write_text(yaml.safe_dump(STUDY))
    broken.write_text(yaml.safe_dump(STUDY | {"sed": 1}))
    assert main([str(sound)]) is None
    assert "did you mean 'seed'?" in main([str(sound), str(broken)])
    assert main([]).startswith("name a configuration file")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@settings(deadline=None, max_examples=100)
@given(content=values)
def test_what_a_safe_reader_reads_is_read_alike_or_refused(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "any.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    try:
        found = read_config_file(path)
    except AtlasError:
        assert not isinstance(content, dict) or path.read_text() == ""
    else:
        assert repr(found) == repr(yaml.safe_load(path.read_text(encoding="utf-8")))


def at(key, value):
    """The study with a value at a key."""
    changed = copy.deepcopy(STUDY)
    *path, last = key.split("/")
    section = changed
    for name in path:
        section = section[name]
    section[last] = value
    return changed


CIRCLE = {}
CIRCLE["x"] = CIRCLE
ENDLESS = []
ENDLESS.append(ENDLESS)

WRONG = {
    "a circle": ("models", CIRCLE, "models"),
    "a list in itself": ("models", ENDLESS, "models"),
    "a date": ("seed", datetime.date(2026, 1, 1), "found a date"),
    "a time": ("seed", datetime.datetime(2026, 1, 1), "found a datetime"),
    "bytes": ("models/bert/revision", b"main", "found a bytes"),
    "a set": ("models/bert/include", {"*"}, "found a set"),
    "a function": ("seed", print, "found a builtin_function_or_method"),
    "a key that is a number": ("models", {3: {"path": "x"}}, "the key 3 is no text"),
    "a key that is true": ("models", {True: {"path": "x"}}, "the key True is no text"),
    "a key that is nothing": ("models", {None: {"path": "x"}}, "the key None is no text"),
    "NaN": ("models/noise/degrees_of_freedom", math.nan, "found nan"),
    "infinity": ("rate_distortion/allocation/budgets", [3.0, math.inf], "found inf"),
    "minus infinity": ("rate_distortion/allocation/shown_budget", -math.inf, "found -inf"),
    "a seed of 100 digits": ("seed", 10**100, "whole number of 333 bits"),
    "a seed below nothing": ("seed", -1, "seed"),
    "rows of a thousand million": ("models/noise/rows", 10**9, "less than or equal to 65536"),
    "rows and columns together": (
        "models/noise",
        {"distribution": "gaussian", "rows": 65536, "columns": 65536},
        "rows times columns is 4294967296",
    ),
    "no rows": ("models/noise/rows", 0, "greater than or equal to 1"),
    "shards of a thousand million": ("models/bert/shards", 10**9, "equal to 10000"),
    "bits of a thousand million": (
        "codecs/new",
        {"codec": "uniform", "bits": 10**9},
        "bits should be less than or equal to 8",
    ),
    "negative bits": ("codecs/new", {"codec": "uniform", "bits": -4}, "bits should be"),
    "half bits": ("codecs/new", {"codec": "uniform", "bits": 2.5}, "bits should be"),
    "bits that are a text": ("codecs/new", {"codec": "uniform", "bits": "4"}, "bits should be"),
    "bits that are true": ("codecs/new", {"codec": "uniform", "bits": True}, "bits should be"),
    "a dimension of a thousand": (
        "codecs/new",
        {"codec": "vector", "dimension": 1000, "index_bits": 4},
        "dimension should be",
    ),
    "states of a thousand million": (
        "codecs/new",
        {"codec": "entropy_coded_trellis", "rate": 2.0, "states": 10**9},
        "states should be",
    ),
    "a rate of a million": (
        "codecs/new",
        {"codec": "entropy_coded", "rate": 1e6},
        "rate should be",
    ),
    "points without end": (
        "codecs/new",
        {"codec": "uniform", "bits": list(range(500)), "granularity": list(range(500))},
        "250000 points",
    ),
    "points of a codec inside without end": (
        "codecs/new",
        {"codec": "rotate", "inner": {"codec": "uniform", "bits": [2] * 99, "clip": [3.0] * 99}},
        "9801 points",
    ),
    "a codec that is a path": ("codecs/new", {"codec": "../uniform"}, "no codec '../uniform'"),
    "a codec that is a module": ("codecs/new", {"codec": "os.system"}, "no codec 'os.system'"),
    "a codec that is a dunder": ("codecs/new", {"codec": "__init__"}, "no codec '__init__'"),
    "a codec that is a list": ("codecs/new", {"codec": ["uniform"]}, "codecs.new.codec"),
    "a parameter that is a dunder": (
        "codecs/new",
        {"codec": "uniform", "bits": 4, "__class__": 1},
        "__class__",
    ),
    "rotations in each other": (
        "codecs/new",
        {"codec": "rotate", "inner": {"codec": "rotate", "inner": {"codec": "rotate"}}},
        "codecs.new",
    ),
    "a hub that is a path": ("models/bert/hub", "../bert/x", "models.bert.hub"),
    "a hub with a space": ("models/bert/hub", "some/ber t", "models.bert.hub"),
    "a hub that is a URL": ("models/bert/hub", "https://example.org/x", "models.bert.hub"),
    "a revision that is a path": ("models/bert/revision", "../../refs", "models.bert.revision"),
    "a revision from the root": ("models/bert/revision", "/etc/passwd", "models.bert.revision"),
    "a revision of nothing": ("models/bert/revision", "", "models.bert.revision"),
    "a pattern with NUL": ("models/bert/include", ["\0"], "nothing prints"),
    "a path with a line end of another kind": (
        "models/new",
        {"path": "a\rb"},
        "models.new.path: has the character '\\r'",
    ),
    "a path with an escape": ("models/new", {"path": "\x1b[2J"}, "'\\x1b'"),
    "half a character": ("models/new", {"path": "\ud800"}, "'\\ud800'"),
    "a path of 100000 characters": ("models/new", {"path": "x" * 10**5}, "100000 characters"),
    "a model that a folder is called like": ("models/tables", {"path": "x"}, "tables is what"),
    "a model that a file is called like": ("models/summary.json", {"path": "x"}, "summary.json"),
    "a text with a wildcard": ("text", {"file": "{x}.txt"}, "text.file"),
    "a parquet file with a wildcard": ("text", {"parquet": "{x}"}, "text.parquet"),
    "a package that is a path": ("text", {"packages": ["../numpy"]}, "text.packages.0"),
    "a context without end": ("text", {"context": 10**12}, "text.context"),
    "a separator of nothing": ("text", {"file": "x", "separator": ""}, "text.separator"),
    "a device that is a command": ("training", {"device": "cpu; rm x"}, "training.device"),
    "a device after a line end": ("training", {"device": "cpu\n"}, "training.device"),
    "steps without end": ("training", {"steps": 10**30}, "training.steps"),
    "a negative learning rate": (
        "training",
        {"learning_rates": {"llama": -1}},
        "training.learning_rates.llama",
    ),
    "an architecture of nobody": (
        "training",
        {"learning_rates": {"__import__": 1}},
        "training.learning_rates",
    ),
    "levels of 10**12": ("lut", {"sizes": [10**12]}, "lut.sizes.0"),
    "a table with a wildcard": ("lut", {"tables": {"mine": "{x}.npy"}}, "lut.tables.mine"),
    "a table by a path's name": ("lut", {"tables": {"../x": "x.npy"}}, "lut.tables.../x"),
    "trajectories without end": (
        "lut",
        {"simulations": {"seeds": 10**12}},
        "lut.simulations.seeds",
    ),
    "steps of a trajectory without end": (
        "lut",
        {"simulations": {"steps": 10**12}},
        "lut.simulations.steps",
    ),
    "a range of nothing": ("lut", {"range": 0}, "lut.range"),
    "a model's folder with a wildcard": (
        "function",
        {"models": {"m": {"folder": "{x}"}}, "series": [], "sensitivity": {"series": "by_tensor"}},
        "function.models.m.folder",
    ),
    "a hundred bit widths in one": (
        "robustness",
        {"bit_widths": [32, 10**9], "lines": {"a": "by_tensor"}, "shown_line": "a"},
        "robustness.bit_widths.1",
    ),
    "what the rules add themselves": ("held_against", {}, "there is no such key"),
    "a key of Snakemake": ("pathvars", {}, "there is no such key"),
}


@pytest.mark.parametrize(("key", "value", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_value_is_refused_by_its_key(key, value, said):
    with readable_refusal("the configuration is not valid", said):
        load(at(key, value))


NAMES = [
    *("../x", "a/b", "/etc", "a b", " a", "{x}", "{wildcards}", ".hidden", "-rf", "~", "a" * 81),
    *("x\ny", "x\0", "a'b", 'a"b', "$x$", "\\input{x}", "<b>", "%s", "*", "?", "a,b", "a;b", "ä"),
    *("A", "a..b", "a.", "con:", "a\\b", "a|b", "$(id)", "`id`", "", "\u202ea", "__use_yte__"),
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("section", ["models", "codecs"])
def test_a_name_that_is_more_than_a_name_is_refused(section, name):
    described = {"models": {"path": "x"}, "codecs": {"codec": "lloyd_max", "bits": 7}}
    with readable_refusal(section):
        load(STUDY | {section: STUDY[section] | {name: described[section]}})


def numbers_of(node, where):
    """Every number that a schema allows, with the place where it stands."""
    if isinstance(node, dict):
        if node.get("type") == "integer":
            yield where, node
        for key, inner in node.items():
            yield from numbers_of(inner, f"{where}.{key}")
    elif isinstance(node, list):
        for inner in node:
            yield from numbers_of(inner, where)


NUMBERS = list(numbers_of(Study.model_json_schema(), "study"))


def test_every_whole_number_of_a_study_has_a_largest_and_a_smallest():
    assert len(NUMBERS) > 40
    unbounded = [
        where
        for where, node in NUMBERS
        if not ({"minimum", "exclusiveMinimum"} & node.keys() and "maximum" in node)
    ]
    assert not unbounded


@settings(deadline=None, max_examples=200)
@given(
    key=st.sampled_from(["seed", "models", "codecs", "text", "rate_distortion", "lut", "sed"]),
    value=values,
)
def test_any_value_of_a_key_is_taken_or_refused_in_words(key, value):
    refusal = None
    try:
        load(at(key, value))
    except AtlasError as error:
        refusal = str(error)
    assert refusal is None or refusal.startswith("the configuration is not valid:\n")


def test_the_watch_over_what_is_started_can_fail():
    with pytest.raises(AssertionError, match="hostile input"):
        forbidden("touch")
    with socket.socket() as closed, pytest.raises(AssertionError, match="hostile input"):
        closed.connect(("127.0.0.1", 9))
