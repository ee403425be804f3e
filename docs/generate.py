"""Write the generated pages of docs/, and the JSON Schemas.

Run it with `make docs`; a test fails where a page differs from what this writes.
"""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bounds_page import bounds_page
from cite_page import cite_page
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from rules_page import rules_page

from qatlas.codecs import registry
from qatlas.config import geometry as geometry_config
from qatlas.config.codec_grids import CodecGrid
from qatlas.config.function import (
    KINDS_OF_CHECKPOINT,
    KINDS_OF_LANGUAGE_MODEL,
    Calibration,
    Encoders,
    Function,
    Sensitivity,
)
from qatlas.config.lut import Lut, Operands
from qatlas.config.lut_models import LanguageModels
from qatlas.config.lut_simulations import Drawn, Ranges, Simulations
from qatlas.config.models import KINDS_OF_MODEL
from qatlas.config.rate_distortion import Allocation, Example, RateDistortion
from qatlas.config.robustness import Robustness
from qatlas.config.study import Study
from qatlas.config.text import KINDS_OF_TEXT
from qatlas.config.training import Training
from qatlas.function import schema as function
from qatlas.function.robustness.schema import ROBUSTNESS
from qatlas.geometry import schema as geometry
from qatlas.lut import schema as lut
from qatlas.lut.simulation import schema as simulation
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.schema import LOSSES
from qatlas.rate_distortion import schema as rate_distortion
from qatlas.summary import Summary
from qatlas.tables import Table
from qatlas.weights.manifest import MANIFEST
from qatlas.weights.statistics import DENSITIES, STATISTICS

HERE = Path(__file__).parent
WRITTEN = "<!-- `make docs` writes this page. -->\n"

TABLES = {
    "results/weights/tables/manifests.parquet": MANIFEST,
    "results/weights/tables/statistics.parquet": STATISTICS,
    "results/weights/tables/densities.parquet": DENSITIES,
    "results/models/text/documents.parquet": DOCUMENTS,
    "results/models/trained/ARCHITECTURE-SEED/losses.parquet": LOSSES,
    "results/rate_distortion/tables/measurements.parquet": rate_distortion.MEASUREMENTS,
    "results/rate_distortion/tables/bounds.parquet": rate_distortion.BOUNDS,
    "results/rate_distortion/tables/target_distortion.parquet": rate_distortion.TARGET_DISTORTION,
    "results/rate_distortion/tables/operating_points.parquet": rate_distortion.OPERATING_POINTS,
    "results/rate_distortion/tables/rotation.parquet": rate_distortion.ROTATION,
    "results/rate_distortion/tables/allocations.parquet": rate_distortion.ALLOCATIONS,
    "results/rate_distortion/tables/allocation_totals.parquet": rate_distortion.ALLOCATION_TOTALS,
    "results/rate_distortion/tables/timings.parquet": rate_distortion.TIMINGS,
    "results/rate_distortion/tables/speeds.parquet": rate_distortion.SPEEDS,
    "results/function/tables/evaluations.parquet": function.EVALUATIONS,
    "results/function/tables/positions.parquet": function.POSITIONS,
    "results/function/tables/layers.parquet": function.LAYERS,
    "results/function/tables/sensitivities.parquet": function.SENSITIVITIES,
    "results/function/tables/losses.parquet": LOSSES,
    "results/function/tables/embeddings.parquet": function.EMBEDDINGS,
    "results/function/robustness/robustness.parquet": ROBUSTNESS,
    "results/lut/tables/map_errors.parquet": lut.MAP_ERRORS,
    "results/lut/tables/map_ranks.parquet": lut.MAP_RANKS,
    "results/lut/tables/map_cells.parquet": lut.MAP_CELLS,
    "results/lut/tables/operands.parquet": lut.OPERANDS,
    "results/lut/tables/table_models.parquet": lut.TABLE_MODELS,
    "results/lut/tables/simulations.parquet": simulation.SIMULATIONS,
    "results/lut/tables/trajectories.parquet": simulation.TRAJECTORIES,
    "results/lut/tables/examples.parquet": simulation.EXAMPLES,
    "results/lut/tables/growth.parquet": simulation.GROWTH,
    **{f"results/geometry/tables/{kind.name}.parquet": kind for kind in geometry.TABLES},
}


def pages() -> dict[str, str]:
    """Content of every generated file, by its name in docs/."""
    return {
        **{
            name: WRITTEN + "\n" + page
            for name, page in {
                "config.md": config_page(),
                "tables.md": tables_page(),
                "codecs.md": codecs_page(),
                "bounds.md": bounds_page(),
                "rules.md": rules_page(HERE.parent),
                "cite.md": cite_page(HERE.parent),
            }.items()
        },
        "config.schema.json": as_json(config_schema()),
        "summary.schema.json": as_json(Summary.model_json_schema()),
    }


def config_page() -> str:
    """Every key of the configuration."""
    sections: list[tuple[str, type[BaseModel]]] = [
        ("Top level", Study),
        *((f"models.NAME: {kind.__name__}", kind) for kind in KINDS_OF_MODEL.values()),
        ("codecs.NAME", CodecGrid),
        *((f"text: {kind.__name__}", kind) for kind in KINDS_OF_TEXT.values()),
        ("training", Training),
        ("rate_distortion", RateDistortion),
        ("rate_distortion.example", Example),
        ("rate_distortion.allocation", Allocation),
        ("function", Function),
        *(
            (f"function.models.NAME: {kind.__name__}", kind)
            for kind in KINDS_OF_LANGUAGE_MODEL.values()
        ),
        *(
            (f"function.checkpoints.NAME: {kind.__name__}", kind)
            for kind in KINDS_OF_CHECKPOINT.values()
        ),
        ("function.calibration", Calibration),
        ("function.sensitivity", Sensitivity),
        ("function.encoders", Encoders),
        ("robustness", Robustness),
        ("lut", Lut),
        ("lut.operands", Operands),
        ("lut.language_models", LanguageModels),
        ("lut.simulations", Simulations),
        ("lut.simulations.comparison", Ranges),
        ("lut.simulations.drawn", Drawn),
        ("geometry", geometry_config.Geometry),
        ("geometry.plane", geometry_config.Plane),
        ("geometry.plane.circle", geometry_config.CircleOfInputs),
        ("geometry.space", geometry_config.Space),
        ("geometry.manifolds", geometry_config.Manifolds),
        ("geometry.manifolds.heat_map", geometry_config.HeatMap),
        ("geometry.manifolds.shapes", geometry_config.Shapes),
        *(
            (f"geometry.manifolds.shapes.{name}", shape)
            for name, shape in geometry_config.SHAPES.items()
        ),
        ("geometry.fake_quantization", geometry_config.FakeQuantization),
        ("geometry.correction", geometry_config.Correction),
        ("geometry.animations", geometry_config.Animations),
        ("geometry.layers", geometry_config.Layers),
    ]
    lines = ["# Configuration\n", inspect.cleandoc(INTRODUCTION), ""]
    for title, section in sections:
        lines += [f"## {title}\n", f"{inspect.getdoc(section)}\n", *fields_table(section), ""]
    return "\n".join(lines)


INTRODUCTION = """
A study is one YAML file: `config.yaml` by default, another with `--configfile`. One named on the
command line stands for itself and is not laid over the default. Unknown keys, wrong types, values a
codec refuses and groups longer than a row of a tensor are errors before any job starts. Editors
complete and check keys through `docs/config.schema.json`.

A job works on one shard of a checkpoint's tensors (`shards`), or on all sampled models at once,
which are small.
"""


def fields_table(section: type[BaseModel]) -> Iterator[str]:
    """Rows of a Markdown table: key, type, default, meaning."""
    properties = section.model_json_schema()["properties"]
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in section.model_fields.items():
        default = "required" if field.default is PydanticUndefined else f"`{shown(field.default)}`"
        kind = type_name(properties[key]).replace("|", "\\|")
        yield f"| `{key}` | {kind} | {default} | {field.description} |"


def type_name(description: dict[str, Any]) -> str:
    """A JSON Schema type in words."""
    if "enum" in description:
        return " or ".join(f"`{value}`" for value in description["enum"])
    if "anyOf" in description:
        return " or ".join(type_name(option) for option in description["anyOf"])
    if description.get("type") == "array":
        return f"list of {type_name(description['items'])}"
    if description.get("type") == "object":
        return "names with sections"
    if "const" in description:
        return f"`{description['const']}`"
    return str(description.get("type", "section"))


def tables_page() -> str:
    """Every table: what a row is, and its columns."""
    lines = [
        "# Tables\n",
        "All tables are tidy parquet files; units stand in the column names.\n",
    ]
    paths: dict[Table, list[str]] = {}
    for path, table in TABLES.items():
        paths.setdefault(table, []).append(f"`{path}`")
    for table, where in paths.items():
        lines += [f"## {table.name}\n", f"{' and '.join(where)}: {lower_first(table.row)}\n"]
        lines += [*columns_table(table), ""]
    return "\n".join(lines)


def columns_table(table: Table) -> Iterator[str]:
    """Rows of a Markdown table: column, type, meaning."""
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for column in table.columns:
        kind = f"{column.type}, may be missing" if column.nullable else column.type
        meaning = column.meaning.replace("|", "\\|")
        yield f"| `{column.name}` | {kind} | {meaning} |"


def codecs_page() -> str:
    """Every registered codec: what it does, what it charges, its source, its parameters."""
    lines = [
        "# Codecs\n",
        "A codec's name is the value of `codec` in a row of `codecs` in the configuration; its "
        "parameters are keys beside it, and a list stands for one point a value.\n",
    ]
    for name in registry.names():
        described = inspect.getdoc(registry.codec_class(name)) or ""
        told, _, attributes = described.partition("\nAttributes\n----------\n")
        lines += [
            f"## {name}\n",
            f"{told.strip()}\n",
            *parameters_table(name, meanings(attributes)),
            "",
        ]
    return "\n".join(lines)


def meanings(attributes: str) -> dict[str, str]:
    """What a docstring's section of attributes says of each."""
    entries = re.findall(r"^(\w.*)\n((?:(?: .*)?\n?)+?)(?=^\w|\Z)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for names, text in entries for name in names.split(", ")}


def parameters_table(name: str, meanings: Mapping[str, str]) -> Iterator[str]:
    """Rows of a Markdown table: parameter, allowed values, default, meaning."""
    model = registry.parameter_model(name)
    properties = model.model_json_schema()["properties"]
    yield "| parameter | allowed | default | meaning |"
    yield "|---|---|---|---|"
    for key, field in model.model_fields.items():
        default = "required" if field.is_required() else f"`{shown(field.default)}`"
        meaning = meanings.get(key, "").replace("|", "\\|")
        yield f"| `{key}` | {allowed(properties[key])} | {default} | {meaning} |"


def allowed(description: dict[str, Any]) -> str:
    """Type and range of a parameter in words."""
    if "anyOf" in description:
        return " or ".join(allowed(option) for option in description["anyOf"])
    words = {"minimum": "from", "maximum": "to", "exclusiveMinimum": "above"}
    limits = [f"{word} {description[key]:g}" for key, word in words.items() if key in description]
    return " ".join([type_name(description), *limits])


def config_schema() -> dict[str, Any]:
    """JSON Schema of the configuration, with the parameters of every codec."""
    schema = Study.model_json_schema()
    schema["$defs"]["CodecGrid"] = {"oneOf": [codec_schema(name) for name in registry.names()]}
    return schema


def codec_schema(name: str) -> dict[str, Any]:
    """A row of ``codecs``: each parameter is one value or a list of them."""
    model = registry.parameter_model(name).model_json_schema()
    parameters = {
        key: {"anyOf": [value, {"type": "array", "items": value}]}
        for key, value in model["properties"].items()
    }
    return {
        "title": name,
        "type": "object",
        "properties": {"codec": {"const": name}, **parameters},
        "required": ["codec", *model.get("required", [])],
        "additionalProperties": False,
    }


def shown(default: Any) -> str:
    """A default as YAML would have it; of a section, the keys that differ from its own."""
    return json.dumps(default, default=lambda section: section.model_dump(exclude_defaults=True))


def lower_first(sentence: str) -> str:
    """A sentence as it goes on after a colon."""
    return sentence[:1].lower() + sentence[1:]


def as_json(content: Any) -> str:
    """JSON with sorted keys."""
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    for name, content in pages().items():
        (HERE / name).write_text(content.rstrip("\n") + "\n")
