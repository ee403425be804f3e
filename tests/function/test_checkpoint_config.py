"""What the configuration may say of quantized checkpoints."""

import copy
import re

import pytest
import yaml

from qatlas.config.function import FolderCheckpoint, HubCheckpoint
from qatlas.config.loading import load
from qatlas.errors import AtlasError
from qatlas.preflight import require_feasible
from tests.workflow.conftest import ROOT

SMOKE = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
FOLDER = {"folder": "some/folder", "base": "llama"}
KINDS = "a quantized checkpoint has exactly one of the keys folder, hub; found"


def study(checkpoint, name="theirs"):
    given = copy.deepcopy(SMOKE)
    given["function"]["checkpoints"] = {name: checkpoint}
    return given


def test_one_key_tells_where_a_checkpoint_is_from():
    here = load(study(FOLDER)).function.checkpoints["theirs"]
    assert type(here) is FolderCheckpoint
    assert here.folder_of("theirs") == "some/folder"
    hub = {"hub": "some/name", "revision": "main", "base": "llama"}
    loaded = load(study(hub))
    there = loaded.function.checkpoints["theirs"]
    assert type(there) is HubCheckpoint
    assert there.folder_of("theirs") == "results/function/checkpoints/theirs/snapshot"
    assert load(loaded.model_dump(mode="json")) == loaded


WRONG = {
    "a base that there is not": (
        FOLDER | {"base": "lama"},
        "function.checkpoints.theirs.base: nothing is called 'lama'; did you mean 'llama'?",
    ),
    "a training that the base has not": (
        FOLDER | {"seed": 3},
        "function.checkpoints.theirs.seed: found 3; allowed are the seeds of "
        "function.models.llama: 0",
    ),
    "no base": ({"folder": "f"}, "function.checkpoints.theirs.base: Field required"),
    "a key that there is not": (
        FOLDER | {"bas": "llama"},
        "function.checkpoints.theirs.bas: there is no such key; did you mean 'base'?",
    ),
    "a key of the other kind": (
        FOLDER | {"revision": "main"},
        "function.checkpoints.theirs.revision: there is no such key; allowed: base, folder, seed",
    ),
    "two kinds": (
        FOLDER | {"hub": "a/b"},
        f"function.checkpoints.theirs: {KINDS} folder and hub",
    ),
    "a hub without organisation": (
        {"hub": "name", "revision": "main", "base": "llama"},
        "function.checkpoints.theirs.hub: String should match pattern … found 'name'",
    ),
}


@pytest.mark.parametrize(("checkpoint", "message"), WRONG.values(), ids=WRONG)
def test_an_error_names_key_value_and_what_is_allowed(checkpoint, message):
    expected = "  " + ".*".join(map(re.escape, message.split("…")))
    with pytest.raises(AtlasError) as raised:
        load(study(checkpoint))
    (problem,) = str(raised.value).splitlines()[1:]
    assert re.fullmatch(expected, problem), problem


@pytest.mark.parametrize("name", ["nf4", "gptq_channel", "float32"])
def test_a_checkpoint_is_not_called_as_a_series(name):
    with pytest.raises(AtlasError, match=f"{name} is the name of a series already"):
        load(study(FOLDER, name))


def test_a_folder_that_is_missing_is_known_before_any_job(tmp_path):
    with pytest.raises(AtlasError, match=r"checkpoints\.theirs\.folder: there is no folder some/"):
        require_feasible(load(study(FOLDER)), "nowhere/{model}")
    require_feasible(load(study(FOLDER | {"folder": str(tmp_path)})), "nowhere/{model}")
