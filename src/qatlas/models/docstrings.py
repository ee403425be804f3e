"""Docstrings of installed packages, read from their source and never imported."""

import ast
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from inspect import cleandoc
from pathlib import Path, PurePosixPath

from qatlas.errors import AtlasError

_logger = logging.getLogger(__name__)

_TESTS = {"test", "tests", "testing"}
"""Folders of tests: few words, much source, and sometimes files of another Python version."""

_Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Docstrings:
    """What a package says of itself.

    Attributes
    ----------
    pin
        Name and version, such as "numpy==2.4.6".
    texts
        File and qualified name, such as "numpy/linalg/_linalg.py:svd", and docstring, in the order
        of files and lines.
    """

    pin: str
    texts: tuple[tuple[str, str], ...]


def docstrings(package: str) -> Docstrings:
    """Docstrings of all modules, classes and functions of a package, those of its tests left out.

    Which files belong to a package is what its installer recorded, so the order depends neither on
    the file system nor on what else is installed.

    Parameters
    ----------
    package
        Name of the distribution, as ``pip install`` takes it.

    Raises
    ------
    AtlasError
        If the package is not installed, has no list of files, lacks one, or has no docstring.
    """
    try:
        installed = distribution(package)
    except PackageNotFoundError as error:
        raise AtlasError(
            f"text: package {package!r} is not installed; install it with: pip install {package}, "
            "or leave it out of text.packages, text.validation and text.test"
        ) from error
    pin = f"{package}=={_public(installed.version)}"
    if installed.files is None:
        raise AtlasError(
            f"text: package {package!r} was installed without a list of its files; install it "
            f"again with: pip install --force-reinstall {pin}"
        )
    files = {file.as_posix(): file for file in installed.files if _is_source(file)}
    texts = tuple(
        (f"{name}:{inside}", text)
        for name in sorted(files)
        for inside, text in _docstrings_of_file(Path(str(files[name].locate())), pin)
    )
    if not texts:
        raise AtlasError(
            f"text: package {pin} has no docstrings; leave it out of text.packages, "
            "text.validation and text.test"
        )
    return Docstrings(pin, texts)


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Installed version of each package; None where it is not installed."""
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = _public(distribution(package).version)
        except PackageNotFoundError:
            found[package] = None
    return found


def _public(version: str) -> str:
    """A version without its local part: wheels for other accelerators have the same source."""
    return version.partition("+")[0]


def _is_source(file: PurePosixPath) -> bool:
    # Scripts lie outside the folder of packages.
    return file.suffix == ".py" and ".." not in file.parts and _TESTS.isdisjoint(file.parts)


def _docstrings_of_file(path: Path, pin: str) -> Iterator[tuple[str, str]]:
    try:
        source = path.read_bytes()
    except OSError as error:
        raise AtlasError(
            f"text: {path} of package {pin} cannot be read ({error.strerror}); install it again "
            f"with: pip install --force-reinstall {pin}"
        ) from error
    try:
        yield from docstrings_of(source)
    except (SyntaxError, ValueError) as error:
        _logger.warning("%s is no source of this Python, so it is left out: %s", path, error)


def docstrings_of(source: bytes) -> Iterator[tuple[str, str]]:
    """Qualified name and docstring of a module and of all that is defined in it.

    The docstrings are cleaned by ``inspect.cleandoc``; empty ones are left out. What is no Unicode
    text, a lone surrogate, becomes a question mark.

    Raises
    ------
    SyntaxError, ValueError
        If it is no source of this version of Python.
    """
    for name, node in _documented(ast.parse(source), ()):
        # Without its own cleaning this is the bare constant, whatever the version of Python.
        raw = ast.get_docstring(node, clean=False)
        text = cleandoc(raw or "").strip().encode("utf-8", "replace").decode()
        if text:
            yield name, text


def _documented(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[str, _Documented]]:
    """What can have a docstring, by qualified name; expressions are not searched."""
    if isinstance(node, _Documented):
        yield ".".join(names), node
    for statement in _statements(node):
        defined = getattr(statement, "name", None) if isinstance(statement, _Documented) else None
        yield from _documented(statement, (*names, defined) if defined else names)


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    for part in ("body", "handlers", "orelse", "finalbody", "cases"):
        block = getattr(node, part, None)
        if isinstance(block, list):
            yield from block
