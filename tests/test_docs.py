import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from qatlas.config.loading import load
from tests.pages import FOLDER, PAGES, RUN_ON_A_STUDY, SNAKEMAKE, blocks, commands, titled
from tests.workflow.conftest import ROOT

sys.path.insert(0, str(FOLDER))
from generate import pages


def rules():
    files = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    return {
        name
        for file in files
        for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
    }


def test_generated_pages_are_up_to_date():
    for name, content in pages().items():
        written = (ROOT / "docs" / name).read_text()
        assert written == content.rstrip("\n") + "\n", f"docs/{name} is stale: run `make docs`"


def test_the_page_of_rules_has_every_rule():
    named = re.findall(r"^### (\w+)", (FOLDER / "rules.md").read_text(), re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) >= rules()


def pins(name):
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def test_the_optional_packages_are_pinned_and_change_no_other_pin():
    base, peers = pins("requirements.txt"), pins("requirements-peers.txt")
    assert {name: peers[name] for name in base.keys() & peers} == {
        name: base[name] for name in base.keys() & peers
    }, "run `make lock`"
    assert {"hqq", "torchao"} <= peers.keys() - base.keys()
    assert {"torch", "numpy", "bitsandbytes", "gguf"} <= base.keys() & peers


def test_what_draws_animations_is_pinned_and_changes_no_other_pin():
    base, animations = pins("requirements.txt"), pins("requirements-animations.txt")
    shared = base.keys() & animations
    assert {name: animations[name] for name in shared} == {name: base[name] for name in shared}
    assert {"manim", "manimpango"} <= animations.keys() - base.keys(), "run `make lock`"


@pytest.mark.parametrize(
    ("name", "locks"),
    [
        ("atlas.yaml", ["requirements.txt"]),
        ("animations.yaml", ["requirements.txt", "requirements-animations.txt"]),
    ],
)
def test_conda_environments_have_the_pins_of_the_locks(name, locks):
    locked = {f"{package}=={pin}" for lock in locks for package, pin in pins(lock).items()}
    environment = yaml.safe_load((ROOT / "envs" / name).read_text())
    found = environment["dependencies"][-1]["pip"]
    assert set(found) == locked, "run `make lock`"
    assert len(found) == len(locked)


def test_every_requirement_is_pinned_in_the_lock():
    lock = (ROOT / "requirements.txt").read_text().lower().replace("_", "-")
    pinned = set(re.findall(r"^([a-z0-9.-]+)==", lock, re.MULTILINE))
    wanted = (ROOT / "requirements.in").read_text().lower().replace("_", "-")
    assert set(re.findall(r"^[a-z0-9.-]+", wanted, re.MULTILINE)) <= pinned, "run `make lock`"


def test_torch_is_pinned_to_a_version_that_every_index_has():
    assert "\ntorch==2.13.0\n" in (ROOT / "requirements.txt").read_text()


def test_make_help_tells_what_every_target_does():
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)[1].split()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    run = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    told = dict(re.findall(r"^(\S+) {2,}(\S.*)$", run.stdout, re.MULTILINE))
    assert sorted(told) == sorted([*phony, "figures/%"])
    assert run.stdout.count("\n") == len(told)


def test_every_script_is_the_script_of_its_rule():
    scripts = {path.stem for path in (ROOT / "scripts").rglob("*.py")}
    assert scripts <= rules()
    for rule in scripts:
        named = [f for f in (ROOT / "rules").glob("*.smk") if f"/{rule}.py" in f.read_text()]
        assert len(named) == 1, f"scripts of rule {rule} are named by {named}"


def test_the_picture_of_the_rule_graph_shows_every_rule_of_the_default_study():
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--rulegraph", "dot"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    drawn = set(re.findall(r">(\w+)</text>", (ROOT / "docs/images/rulegraph.svg").read_text()))
    assert drawn == set(re.findall(r'label = "(\w+)"', run.stdout)), "run `make rulegraph`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p not in RUN_ON_A_STUDY], ids=lambda p: p.name
)
def test_python_examples_run(page):
    # One whose first line goes on is a file, which a test of its own adds.
    for example in re.findall(r"^```python\n(.*?)^```", page.read_text(), re.M | re.S):
        run = subprocess.run(
            [sys.executable, "-c", example], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout


def laid_over(below, above, depth=3):
    """Two configurations as one; what is deeper is taken whole."""
    if not depth or not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    shared = below.keys() & above.keys()
    deeper = {key: laid_over(below[key], above[key], depth - 1) for key in shared}
    return {**below, **above, **deeper}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_of_configuration_are_right(page):
    """Those of a page together are right beside the small study; one with a title stands alone."""
    study = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
    files = dict(titled(page))
    # A page that adds a codec has a test of its own, which adds it.
    if not any(name.endswith(".py") for name in files):
        for block in blocks(page, "yaml"):
            study = laid_over(study, yaml.safe_load(block) or {})
    load(study)
    for name in files:
        if name.endswith(".yaml"):
            load(yaml.safe_load(files[name]))


def dry_run(*words):
    """Run a program for show, without the settings of a make that runs the tests."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    run = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, env=environment
    )
    assert run.returncode == 0, f"{' '.join(words)}: {run.stdout}{run.stderr}"


def test_commands_are_of_the_project():
    assert {command.words[0] for command in commands()} == {"make", SNAKEMAKE}


def test_targets_of_make_exist():
    for command in commands():
        if command.words[0] == "make":
            dry_run("make", "--dry-run", *command.words[1:])


def test_targets_of_snakemake_exist_in_the_default_study():
    targets = {target for command in commands() for target in command.targets}
    dry_run(sys.executable, "-m", "snakemake", "--dry-run", *sorted(targets))


def test_commands_of_snakemake_with_options_are_right(tmp_path):
    """A study that a page holds in full is put where its command seeks it."""
    named = {}
    for page in PAGES:
        named |= dict(
            re.findall(r'^```yaml title="(.*?)"\n(.*?)^```', page.read_text(), re.M | re.S)
        )
    for name, content in named.items():
        (tmp_path / name).write_text(content)
    for command in commands():
        if command.words[0] == SNAKEMAKE and not command.targets and command.words[1:]:
            words = [str(tmp_path / word) if word in named else word for word in command.words[1:]]
            dry_run(sys.executable, "-m", "snakemake", "--dry-run", *words)


def test_the_citation_is_that_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    package = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    # What the schema of version 1.2.0 asks for.
    assert {"authors", "cff-version", "message", "title"} <= citation.keys()
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in ("software", "dataset")
    assert (citation["version"], citation["license"]) == (package["version"], package["license"])


def test_the_project_speaks_of_itself_alone():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in tracked:
        if name.endswith((".py", ".smk", ".md", ".yaml", ".toml", ".in", ".txt", "Makefile")):
            for path in re.findall(r"/(?:home|root|work|tmp)/\w+", (ROOT / name).read_text()):
                assert name.startswith("tests/"), f"{name} names a path of a machine: {path}"
