import ast
import base64
import os
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import grimp

# This file and every job take the library of this checkout, installed or not.
SOURCE = str(Path(workflow.basedir) / "src")
sys.path.insert(0, SOURCE)
os.environ.update(PYTHONPATH=SOURCE)

from qatlas.config.files import read_config_file
from qatlas.config.loading import load
from qatlas.config.models import HubModel, LocalModel, PackagedModel, SampledModel
from qatlas.earlier_results import require_own_results
from qatlas.errors import AtlasError
from qatlas.function.figures import FIGURES as function_figures
from qatlas.lut.figures import figures_of as lut_figures
from qatlas.geometry.figures import FIGURES as geometry_figures
from qatlas.geometry.figures import GROUPS as geometry_groups
from qatlas.preflight import needs_of_rows, require_feasible
from qatlas.rate_distortion.figures import FIGURES as rate_distortion_figures
from qatlas.weights.figures import FIGURES as weights_figures
from snakemake.exceptions import WorkflowError

PROVENANCE = Path("results/provenance.json")


def record_of(path):
    """Where Snakemake keeps what it made a file from."""
    return Path(".snakemake/metadata") / base64.b64encode(str(path).encode()).decode()


try:
    # Snakemake takes the last of two equal keys and says nothing; jobs need not look again.
    if workflow.is_main_process:
        for file in workflow.configfiles:
            read_config_file(file)
    study = load(config)
    # Jobs read these rules again; once is enough.
    if workflow.is_main_process:
        require_feasible(study, "results/weights/{model}/snapshot")
        require_own_results(study, PROVENANCE, record_of(PROVENANCE))
except AtlasError as error:
    raise WorkflowError(str(error))

# A model of the hub is checked by the first job that knows its matrices. What it is held against is
# configuration and no parameter, since another codec must not make the manifest again.
config["held_against"] = {
    name: {"needs": needs, "include": model.include, "smallest": model.smallest}
    for needs in [[[key, asdict(need)] for key, need in needs_of_rows(study)]]
    for name, model in study.models.items()
    if isinstance(model, HubModel)
}

ROOT = Path(os.path.relpath(workflow.basedir))
FIGURES = {"weights": weights_figures, "rate_distortion": rate_distortion_figures}
if study.function:
    FIGURES["function"] = {
        name: reads
        for name, reads in function_figures.items()
        if study.function.encoders or "embeddings" not in reads
    }
if study.lut:
    FIGURES["lut"] = lut_figures(study.lut)
if study.geometry:
    FIGURES["geometry"] = {
        name: reads
        for name, reads in geometry_figures.items()
        if study.geometry.layers or name not in geometry_groups["layers"]
    }
# What jobs took on another machine: what a first run goes by.
RECORDED_RUN = str(ROOT / "resources" / "recorded_run.json")
# Those that define `run`; the files beside them are what they share.
BENCHMARKS = {
    path.stem: path
    for path in sorted((ROOT / "benchmarks").glob("*.py"))
    if re.search(r"^def run\(", path.read_text(), re.MULTILINE)
}

imports = grimp.build_graph("qatlas", cache_dir=None, exclude_type_checking_imports=True)


def code(script, *also):
    """A script and every library file it runs, so that an edit of any of them reruns the rule.

    `also` names modules that the script imports by name at run time.
    """
    return with_library(ROOT / "scripts" / f"{script}.py", *also)


def with_library(file, *also):
    """A Python file and every library file it runs; `also` as in `code`."""
    named = {f"qatlas.{name}" for name in also}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom):
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    used = set()
    for name in named & imports.modules:
        used |= {name} | imports.find_upstream_modules(name)
    # Importing a module runs the packages around it.
    used |= {name.rsplit(".", depth)[0] for name in used for depth in range(1, 1 + name.count("."))}
    return [str(file), *sorted(map(source_file, used))]


def benchmark_code(wildcards):
    """A benchmark, the files beside it that it imports, and every library file they run."""
    path = BENCHMARKS[wildcards.name]
    beside = re.findall(r"^(?:from|import) (\w+)", path.read_text(), re.MULTILINE)
    shared = [path.with_stem(name) for name in beside if path.with_stem(name).is_file()]
    return [file for part in (path, *shared) for file in with_library(part)]


def source_file(name):
    """File of a module of the library."""
    path = ROOT / "src" / name.replace(".", "/")
    return str(path / "__init__.py" if path.is_dir() else path.with_suffix(".py"))


def parts():
    """Rule files of what a study may leave out and this one has."""
    sections = {
        "function": study.function,
        "checkpoints": study.function,
        "exports": study.function,
        "encoders": study.function and study.function.encoders,
        "robustness": study.robustness,
        "lut": study.lut,
        "geometry": study.geometry,
    }
    return [part for part, section in sections.items() if section]


def models(*kinds):
    return [name for name, model in study.models.items() if isinstance(model, kinds or object)]


def one_of(names):
    """Pattern of a wildcard that is one of the names, or nothing."""
    return "|".join(map(re.escape, names)) or "(?!)"


def figures(chapter):
    return [f"results/{chapter}/figures/{name}.pdf" for name in FIGURES[chapter]]


def all_figures():
    graph = ["results/function/figures/robustness.pdf"] if study.robustness else []
    return [path for chapter in FIGURES for path in figures(chapter)] + graph


def summaries():
    """Every summary, and the rule that makes it."""
    graph = {"results/function/robustness/summary.json": "robustness"} if study.robustness else {}
    return {f"results/{chapter}/summary.json": f"{chapter}_summary" for chapter in FIGURES} | graph


def tables_of_figure(chapter):
    """Input function: the tables that a figure of the chapter reads."""
    return lambda wildcards: {
        table: f"results/{chapter}/tables/{table}.parquet"
        for table in FIGURES[chapter][wildcards.figure]
    }


def commit():
    """Commit of the checkout and whether files differ from it; None outside a checkout."""
    git = ["git", "-C", workflow.basedir]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            [*git, "status", "--porcelain"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
    return {"commit": head.stdout.strip(), "dirty": bool(changes.stdout.strip())}


wildcard_constraints:
    model=one_of(study.models),
    shard=r"\d+",
    figure=r"\w+",
