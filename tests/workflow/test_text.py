import json

import numpy as np
import pytest
import yaml

PARAGRAPHS = [f"Paragraph {n} says that {n} and {n + 1} make {2 * n + 1}." for n in range(300)]


def write_study(checkout, **text):
    """The smoke study with a text of its own, which no chapter but function reads."""
    study = yaml.safe_load((checkout.folder / "config/smoke.yaml").read_text())
    del study["lut"], study["geometry"]
    (checkout.folder / "study.yaml").write_text(yaml.safe_dump(study | {"text": text}))
    return "study.yaml"


def rules_of(jobs):
    return {rule for rule, _ in jobs} - {"text"}


@pytest.mark.slow
def test_a_text_file_becomes_tokens_and_reruns_what_depends_on_a_key(checkout):
    (checkout.folder / "book.txt").write_text("\n\n".join(PARAGRAPHS))
    text = {"file": "book.txt", "held_out": 0.1, "vocabulary": 300, "context": 32}
    run = checkout.snakemake("text", config=write_study(checkout, **text))
    assert run.returncode == 0, run.stdout
    results = checkout.folder / "results/models/text"
    parts = json.loads((results / "manifest.json").read_text())["parts"]
    tokens = json.loads((results / "tokens.json").read_text())
    assert sum(part["documents"] for part in parts.values()) == len(PARAGRAPHS)
    assert sum(part["bytes"] for part in parts.values()) == len("".join(PARAGRAPHS))
    for part, described in tokens.items():
        assert described["bytes"] == parts[part]["bytes"]
        assert len(np.load(results / f"{part}.npy")) == described["tokens"]

    (checkout.folder / "book.txt").touch()
    assert checkout.jobs("text", config="study.yaml") == []
    config = write_study(checkout, **text | {"context": 64})
    assert rules_of(checkout.jobs("text", config=config)) == {"tokens"}
    config = write_study(checkout, **text | {"vocabulary": 310})
    assert rules_of(checkout.jobs("text", config=config)) == {"tokenizer", "tokens"}

    run = checkout.snakemake("text", config=write_study(checkout, **text | {"context": 9999}))
    assert run.returncode != 0
    assert "fewer than the 9999 of one context" in run.stdout
    assert "text.context" in run.stdout
    assert "Traceback" not in run.stdout.split("Logfile")[0]


def test_a_text_file_that_is_missing_is_named_with_its_key(checkout):
    run = checkout.snakemake("text", config=write_study(checkout, file="bok.txt"))
    assert run.returncode != 0
    assert "text.file: bok.txt cannot be read (No such file or directory)" in run.stdout
    assert "Traceback" not in run.stdout.split("Logfile")[0]
