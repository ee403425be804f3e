"""What makes pages of docs/: the parts that no look at a finished page would show to be wrong."""

import sys

import pytest
import yaml

from qatlas.config.loading import load
from qatlas.summary import claim
from tests.pages import FOLDER
from tests.workflow.conftest import ROOT

sys.path.insert(0, str(FOLDER))
from cite_page import bibtex
from claims_page import pattern_of
from executed import executed
from generate import meanings
from rules_page import rule_files

PAGE = """One.

```python
a = 2
```

Two.

```python
print(a + 1)
```

```text
a stale line
```

Three.
"""


def test_what_a_block_printed_replaces_what_stood_there():
    made = executed(PAGE)
    assert "a stale line" not in made
    assert "print(a + 1)\n```\n\n```text\n3\n```\n\nThree." in made
    assert "a = 2\n```\n\nTwo." in made
    assert executed(made) == made


def test_a_block_that_fails_makes_no_page():
    with pytest.raises(ZeroDivisionError):
        executed("```python\n1 / 0\n```\n")


@pytest.fixture(scope="module")
def small_study():
    return load(yaml.safe_load((ROOT / "config/smoke.yaml").read_text()))


@pytest.mark.parametrize(
    ("name", "text", "pattern"),
    [
        ("minilm.nf4_beats_fp4", "Over minilm.", ("MODEL.nf4_beats_fp4", "Over MODEL.")),
        ("hqq_4bit.measured", "Grid hqq_4bit.", ("SERIES.measured", "Grid SERIES.")),
        (
            "layers.llama.8bit.law",
            "llama at 8 bits.",
            ("layers.MODEL.BITSbit.law", "MODEL at BITS bits."),
        ),
        ("2d.one_two.held", "Of one two layers.", ("2d.LAYERS.held", "Of LAYERS layers.")),
        ("manifolds.line.longer", "Of line.", ("manifolds.SHAPE.longer", "Of SHAPE.")),
        ("llamas.at_2_bits", "At 2 bits llamas.", ("llamas.at_2_bits", "At 2 bits llamas.")),
    ],
)
def test_names_of_the_study_give_way_in_claims_and_nothing_else_does(
    name, text, pattern, small_study
):
    found = pattern_of(name, claim(text, 1.0, True, 0.5, "a/tables/b.parquet"), small_study)
    assert (found.name, found.text, found.threshold) == (*pattern, 0.5)


RULES = '''"""Which rules?"""

FOLDER = "results/folder"


rule one:
    """The first."""
    input:
        lambda wildcards: chosen(wildcards),
        table=ancient("results/{name}.parquet"),
        code=code("a/one"),
    output:
        ensure(f"{FOLDER}/{{name}}.pdf", non_empty=True),
    script:
        "../scripts/a/one.py"


if study.function:

    rule two:
        """The second."""
        input:
            files_of("one"),
'''


def test_rules_are_read_as_they_are_written(tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules/a.smk").write_text(RULES)
    (tmp_path / "Snakefile").write_text('include: "rules/a.smk"\n')
    (file,) = rule_files(tmp_path)
    assert (file.name, file.question) == ("a", "Which rules?")
    one, two = file.rules
    assert (one.name, one.text, one.script) == ("one", "The first.", "scripts/a/one.py")
    assert one.files["input"] == ["chosen(wildcards)", "results/{name}.parquet"]
    assert one.files["output"] == ["results/folder/{name}.pdf"]
    assert (two.name, two.files["input"]) == ("two", ["files_of('one')"])


def test_attributes_of_a_docstring_are_told_by_name():
    told = meanings("low, high\n    Ends of the range,\n    in bits.\nseed\n    Of chance.\n")
    assert told == dict.fromkeys(("low", "high"), "Ends of the range, in bits.") | {
        "seed": "Of chance."
    }


def test_a_person_is_cited_by_family_name_and_a_group_in_one_piece():
    entry = bibtex(
        {
            "title": "A Title: and more",
            "authors": [{"family-names": "Shannon", "given-names": "Claude"}, {"name": "A group"}],
            "version": "1",
            "license": "MIT",
        }
    )
    assert entry.startswith("@software{a-title,\n  author = {Shannon, Claude and {A group}},\n")
