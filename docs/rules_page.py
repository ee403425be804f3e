"""The page of rules: what each takes and makes, as the rule files say it.

Snakemake's own parser turns a rule file into Python, and Python's into a tree; no study is loaded,
so rules that the default study has no need of stand here too.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

from snakemake.parser import parse
from snakemake.sourcecache import LocalSourceFile

INTRODUCTION = """\
In the order of the data; the first are what `snakemake NAME` builds by name. `{wildcard}` stands
for a part of a file's name that a rule fills in, and `name(...)` for files that a function of the
rule files lists. Every rule also takes its script and all library code that the script runs, and
writes a log beside what it makes; see [what reruns when](architecture.md#what-reruns-when).
"""

MARKS = {"ensure", "ancient", "report", "directory", "unpack"}


@dataclass
class Rule:
    """A rule: its docstring, its script, and its files as they are written in the rule file."""

    name: str
    text: str = ""
    script: str = ""
    files: dict[str, list[str]] = field(default_factory=lambda: {"input": [], "output": []})


@dataclass(frozen=True)
class RuleFile:
    """A file of rules: its question, and its rules in order."""

    name: str
    question: str
    rules: list[Rule]


def rules_page(root: Path) -> str:
    """The page, of the checkout in that folder."""
    lines = ["# Rules\n", INTRODUCTION]
    for file in rule_files(root):
        lines.append(f"## {file.name}\n")
        if file.question:
            lines.append(f"{file.question}\n")
        for rule in file.rules:
            lines += list(section(rule))
    return "\n".join(lines)


def section(rule: Rule) -> Iterator[str]:
    """Lines on one rule."""
    yield f"### {rule.name}\n"
    yield f"{rule.text}\n"
    rows = {"in": rule.files["input"], "out": rule.files["output"], "by": [rule.script]}
    for way, names in rows.items():
        if any(names):
            yield f"- {way}: {', '.join(f'`{name}`' for name in names)}"
    yield ""


def rule_files(root: Path) -> list[RuleFile]:
    """Files that hold rules: those the Snakefile includes by name, around those of its parts."""
    trees = {path.stem: tree_of(path) for path in [root / "Snakefile", *_files(root)]}
    constants = {name: text for tree in trees.values() for name, text in constants_of(tree)}
    files = [
        RuleFile(
            "Targets" if name == "Snakefile" else name,
            ast.get_docstring(tree) or "",
            list(rules_of(tree, constants)),
        )
        for name, tree in trees.items()
    ]
    return sorted((file for file in files if file.rules), key=_place(trees["Snakefile"]))


def _files(root: Path) -> list[Path]:
    return sorted((root / "rules").glob("*.smk"))


def _place(snakefile: ast.Module) -> Callable[[RuleFile], tuple[int, str]]:
    """Order of the files: as they are included; those that a study may leave out, in a loop."""
    included = [node for node in ast.walk(snakefile) if _calls(node, "include")]
    names = [_included(node) for node in sorted(included, key=lambda node: node.lineno)]
    places = {name: place for place, name in enumerate(["Targets", *names])}
    return lambda file: (places.get(file.name, places.get("", len(places))), file.name)


def _included(node: ast.Call) -> str:
    """Name of an included file without its ending; empty where a loop makes it up."""
    return Path(_text(node.args[0], {})).stem.replace("{part}", "")


def tree_of(path: Path) -> ast.Module:
    """A rule file as the Python that Snakemake makes of it."""
    with path.open() as opened:
        cache = SimpleNamespace(open=lambda _: opened)
        text, _ = parse(LocalSourceFile(str(path)), SimpleNamespace(sourcecache=cache), {})
    return ast.parse(text)


def constants_of(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Strings that a rule file names in capitals, or takes so named from the library."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant):
            yield ast.unparse(node.targets[0]), node.value.value
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qatlas"):
            for name in (alias.name for alias in node.names if alias.name.isupper()):
                yield name, getattr(import_module(node.module), name)


def rules_of(tree: ast.Module, constants: Mapping[str, str]) -> Iterator[Rule]:
    """Rules of a file; each is a function under a decorator for every directive."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        rule = None
        for decorator in node.decorator_list:
            if _calls(decorator, "rule"):
                named = {word.arg: word.value for word in decorator.keywords}
                rule = Rule(ast.literal_eval(named["name"]))
            elif rule and _calls(decorator, "docstring"):
                rule.text = ast.literal_eval(decorator.args[0])
            elif rule and _calls(decorator, "script"):
                rule.script = ast.literal_eval(decorator.args[0]).removeprefix("../")
            for way in ("input", "output"):
                if rule and _calls(decorator, way):
                    rule.files[way] += files_of(decorator, constants)
        if rule:
            yield rule


def _calls(node: ast.AST, name: str) -> bool:
    """Whether a node is ``workflow.name(...)``."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
        and ast.unparse(node.func.value) == "workflow"
    )


def files_of(directive: ast.Call, constants: Mapping[str, str]) -> list[str]:
    """Files of a directive but the code: patterns where they are written, else what lists them."""
    values = [*directive.args, *(word.value for word in directive.keywords if word.arg != "code")]
    return [name for value in values for name in patterns(value, constants)]


def patterns(value: ast.expr, constants: Mapping[str, str]) -> list[str]:
    """Names of files in an expression, or the expression where there are none."""
    found = [
        text
        for node in _outermost(value)
        if "/" in (text := _text(node, constants)) and not text.startswith("captions/")
    ]
    return found or [ast.unparse(_bare(value)).removeprefix("lambda wildcards: ")]


def _outermost(value: ast.AST) -> Iterator[ast.expr]:
    """Strings of an expression, f-strings whole."""
    if isinstance(value, (ast.Constant, ast.JoinedStr)):
        yield value
    else:
        for child in ast.iter_child_nodes(value):
            yield from _outermost(child)


def _text(node: ast.expr, constants: Mapping[str, str]) -> str:
    """A string as it is written, with the constants of the rule files put in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(part.value)
        else:
            name = ast.unparse(part.value)
            parts.append(constants.get(name, f"{{{name}}}"))
    return "".join(parts)


def _bare(value: ast.expr) -> ast.expr:
    """An expression without the marks of Snakemake around it."""
    marked = isinstance(value, ast.Call) and ast.unparse(value.func) in MARKS
    return _bare(value.args[0]) if marked else value
