"""Models are fetched whole and right, or refused with what to do."""

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from qatlas.weights.snapshot import INDEX, open_snapshot
from tests.hub.server import (
    TOKEN,
    Repository,
    broken_off,
    damaged,
    missing,
    silent,
    stuck,
    wait_until,
)

FIRST, SECOND = (f"model-0000{number}-of-00002.safetensors" for number in (1, 2))
WHOLE = "model.safetensors"
MEGA = 2**20
HUB_FOLDER = "qatlas.weights.hub.hub_folder"
IMPATIENT = {"HF_HUB_DOWNLOAD_TIMEOUT": "1", "HF_HUB_ETAG_TIMEOUT": "1"}


def require_whole(outcome, original):
    made, folder = outcome
    assert made == "made", folder
    copy, expected = open_snapshot(folder, "copy"), open_snapshot(original, "original")
    assert copy.tensors == expected.tensors
    assert all(torch.equal(copy.read(name), expected.read(name)) for name in copy.tensors)
    return Path(folder)


def test_a_model_is_fetched_once_and_without_what_is_not_read(client, hub, folders):
    folder = require_whole(client.fetch("acme/tiny"), folders["llama"])
    assert not (folder / "original").exists()
    assert (folder / "tokenizer.json").is_file()
    assert {FIRST, SECOND} == {
        stored.file for stored in open_snapshot(folder, "m").tensors.values()
    }
    hub.requests.clear()
    assert client.fetch("acme/tiny") == ["made", str(folder)]
    assert client.fetch("acme/tiny", HF_HUB_OFFLINE="1") == ["made", str(folder)]
    assert hub.fetched() == []


def test_a_token_opens_what_is_gated_and_is_not_shown_to_other_hosts(client, hub, folders):
    require_whole(client.fetch("acme/gated", HF_TOKEN=TOKEN), folders["llama"])
    tokens = {r.what: r.token for r in hub.requests if r.method == "GET"}
    assert tokens["config.json"] == TOKEN
    assert tokens[f"store:{FIRST}"] is None


REFUSED = {
    ("acme/absent", "main"): "there is no such repository, or it is private",
    ("acme/tiny", "absent"): "there is no such revision; use a branch, tag or commit",
    ("acme/tiny", "f" * 40): "there is no such revision",
    ("no repository", "main"): "allowed is owner/name",
    ("acme/gated", "main"): "accept its terms on its page, then set HF_TOKEN",
}


def test_what_cannot_be_had_is_refused_with_what_to_do(client):
    for told, ((name, revision), advice) in zip(
        client.outcomes(HUB_FOLDER, *REFUSED), REFUSED.items(), strict=True
    ):
        assert told[0] == "refused"
        assert f"model {name} at revision {revision!r} was not fetched" in told[1]
        assert advice in told[1]
    message = client.refusal("acme/gated", HF_TOKEN="hf_of_another_account")
    assert "a token of the same account" in message
    message = client.refusal("acme/absent", HF_TOKEN="hf_of_another_account")
    assert "check the name owner/name" in message


@pytest.mark.parametrize("what", [("HEAD", "config.json"), ("GET", f"store:{SECOND}")])
def test_a_file_that_is_listed_and_missing_is_named(client, hub, folders, what):
    hub.faults[what] = missing
    message = client.refusal("acme/tiny")
    assert "the hub lists a file that it does not have" in message
    assert what[1].removeprefix("store:") in message
    assert client.unfinished() == []
    hub.faults.clear()
    require_whole(client.fetch("acme/tiny"), folders["llama"])


def test_a_transfer_that_breaks_off_goes_on_where_it_was(client, hub, tmp_path):
    folder = tmp_path / "large"
    folder.mkdir()
    save_file({"weight": torch.arange(6 * MEGA, dtype=torch.float32)}, folder / WHOLE)
    hub.repositories.append(Repository("acme/large", folder))
    hub.faults["GET", f"store:{WHOLE}"] = broken_off(after=21 * MEGA, times=1)
    require_whole(client.fetch("acme/large"), folder)
    asked = [r.start for r in hub.requests if (r.method, r.what) == ("GET", f"store:{WHOLE}")]
    # huggingface_hub writes 10 MiB at a time.
    assert asked == [0, 20 * MEGA]


def test_a_job_that_was_killed_fetches_only_what_was_not_whole(client, hub, folders):
    hub.faults["GET", f"store:{SECOND}"] = stuck(after=1000)
    running = client.start(HUB_FOLDER, ("acme/tiny", "main"))
    blobs = client.home / "hub/models--acme--tiny/blobs"

    def all_but_one_are_whole():
        paths = list(blobs.glob("*")) if blobs.is_dir() else []
        whole = [path for path in paths if path.suffix != ".incomplete"]
        listed = [*folders["llama"].glob("*.json"), folders["llama"] / FIRST]
        fetched = [path for path in listed if path.name != "generation_config.json"]
        return len(whole) == len(fetched) and len(paths) == len(whole) + 1

    wait_until(all_but_one_are_whole)
    running.kill()
    running.communicate()
    hub.faults.clear()
    hub.requests.clear()
    require_whole(client.fetch("acme/tiny"), folders["llama"])
    assert hub.fetched() == [f"store:{SECOND}"]


@pytest.mark.parametrize("file", [f"store:{SECOND}", "config.json"])
def test_content_that_is_not_what_its_checksum_says_is_refused_and_not_kept(
    client, hub, folders, file
):
    hub.faults["GET", file] = damaged
    message = client.refusal("acme/tiny")
    name = file.removeprefix("store:")
    assert f"model acme/tiny at revision 'main': {name} is not what the hub says" in message
    assert "run again to fetch it anew" in message
    assert not list(client.home.rglob(name))
    hub.faults.clear()
    hub.requests.clear()
    require_whole(client.fetch("acme/tiny"), folders["llama"])
    assert file in hub.fetched()
    assert f"store:{FIRST}" not in hub.fetched()


def test_a_cache_whose_disk_changed_a_file_is_found_out(client, folders):
    folder = require_whole(client.fetch("acme/tiny"), folders["llama"])
    path = folder / FIRST
    content = path.read_bytes()
    path.resolve().write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert f"{FIRST} is not what the hub says" in client.refusal("acme/tiny", HF_HUB_OFFLINE="1")
    require_whole(client.fetch("acme/tiny"), folders["llama"])


@pytest.mark.parametrize(
    "what",
    [
        ("GET", "revision"),
        pytest.param(("GET", "tree"), marks=pytest.mark.slow),
        pytest.param(("HEAD", INDEX), marks=pytest.mark.slow),
        pytest.param(("GET", f"store:{SECOND}"), marks=pytest.mark.slow),
    ],
)
def test_a_hub_that_never_answers_is_given_up(client, hub, what):
    hub.faults[what] = silent
    began = time.monotonic()
    message = client.refusal("acme/tiny", **IMPATIENT)
    assert "model acme/tiny at revision 'main' was not fetched" in message
    assert "HF_HUB_DOWNLOAD_TIMEOUT" in message
    assert time.monotonic() - began < 90
    assert client.unfinished() == []


def test_a_hub_that_is_not_there_is_not_waited_for(client, folders):
    nowhere = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    message = client.refusal("acme/tiny", **nowhere)
    assert "the hub cannot be reached" in message
    assert "HF_ENDPOINT, HF_HUB_OFFLINE" in message
    folder = require_whole(client.fetch("acme/tiny"), folders["llama"])
    assert client.fetch("acme/tiny", **nowhere) == ["made", str(folder)]


def test_what_answers_and_is_no_hub_is_said_to_be_none(client, hub):
    hub.faults["GET", "revision"] = lambda *_: b"<html>Sign in to this network</html>"
    assert "is no hub; check HF_ENDPOINT" in client.refusal("acme/tiny")
    hub.faults["GET", "revision"] = lambda *_: b"{}"
    assert "is no hub; check HF_ENDPOINT" in client.refusal("acme/tiny")
