import importlib.util
import os
import re
import subprocess
import sys

import pytest
import yaml

from tests.workflow.conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def rules():
    files = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    return {
        name
        for file in files
        for name in re.findall(r"^rule (\w+):", file.read_text(), re.MULTILINE)
    }


def test_generated_pages_are_up_to_date():
    for name, content in load(ROOT / "docs/generate.py").pages().items():
        written = (ROOT / "docs" / name).read_text()
        assert written == content.rstrip("\n") + "\n", f"docs/{name} is stale: run `make docs`"


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
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_examples_run(page):
    for example in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        run = subprocess.run(
            [sys.executable, "-c", example], capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stderr
        assert run.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_name_targets_that_exist(page):
    blocks = "".join(re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL))
    for command in filter(None, (line.partition("#")[0].split() for line in blocks.splitlines())):
        if command[0] == "make":
            arguments = ["make", "--dry-run", *command[1:]]
        else:
            arguments = [sys.executable, "-m", "snakemake", "--dry-run", *command[1:]]
            assert command[0] == ".venv/bin/snakemake"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        run = subprocess.run(
            arguments, cwd=ROOT, capture_output=True, text=True, check=False, env=environment
        )
        assert run.returncode == 0, f"{command}: {run.stderr}"


def test_the_project_speaks_of_itself_alone():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in tracked:
        if name.endswith((".py", ".smk", ".md", ".yaml", ".toml", ".in", ".txt", "Makefile")):
            for path in re.findall(r"/(?:home|root|work|tmp)/\w+", (ROOT / name).read_text()):
                assert name.startswith("tests/"), f"{name} names a path of a machine: {path}"
