import importlib
import inspect
from functools import reduce
from importlib.metadata import version

import pytest

from qatlas.errors import AtlasError
from qatlas.models.docstrings import docstrings, docstrings_of, versions

SOURCE = '''
"""A module.

Its example:

    is indented
"""
import sys

def plain(): "of one line"

async def later():
    """
    Of several lines,
      with an indentation of its own.
    """
    def inside():
        """Within."""

class Outer:
    """Outer."""

    class Inner:
        """Inner."""

        def method(self):
            """A method."""

    def bare(self):
        return """no docstring"""

if sys.platform == "here":
    def chosen():
        """Of one branch."""
else:
    def chosen():
        """Of the other."""
try:
    pass
except ValueError:
    def handled():
        """Of a handler."""
finally:
    with open("x") as file:
        def within():
            """In a block."""

def empty():
    """   """

def formatted():
    f"""No {docstring}."""

def half():
    """A lone \\ud800 surrogate."""
'''


def test_every_definition_is_found_with_its_name_and_without_its_indentation():
    assert list(docstrings_of(SOURCE.encode())) == [
        ("", "A module.\n\nIts example:\n\n    is indented"),
        ("plain", "of one line"),
        ("later", "Of several lines,\n  with an indentation of its own."),
        ("later.inside", "Within."),
        ("Outer", "Outer."),
        ("Outer.Inner", "Inner."),
        ("Outer.Inner.method", "A method."),
        ("chosen", "Of one branch."),
        ("chosen", "Of the other."),
        ("handled", "Of a handler."),
        ("within", "In a block."),
        ("half", "A lone ? surrogate."),
    ]


def test_docstrings_of_a_locked_package_are_those_that_python_shows():
    found = docstrings("sortedcontainers")
    assert found.pin == f"sortedcontainers=={version('sortedcontainers')}"
    compared = 0
    for name, text in found.texts:
        file, _, qualified = name.partition(":")
        module = importlib.import_module(file.removesuffix(".py").replace("/", "."))
        try:
            defined = reduce(getattr, qualified.split("."), module) if qualified else module
        except AttributeError:
            continue  # Defined within a function, or for another version of Python.
        compared += inspect.getdoc(defined) == text
    assert compared > 0.9 * len(found.texts) > 90


def test_tests_scripts_and_other_files_are_left_out(install):
    files = {
        "noun/b.py": '"""b"""',
        "noun/a.py": '"""a"""',
        "noun/tests/test_a.py": '"""of a test"""',
        "noun/test/helper.py": '"""of a test"""',
        "noun/testing/_internal/new.py": "def of_another_python[T]: ...",
        "noun/data.txt": '"""no source"""',
        "../bin/noun.py": '"""a script"""',
    }
    install("noun", files)
    assert docstrings("noun").texts == (("noun/a.py:", "a"), ("noun/b.py:", "b"))


def test_the_local_part_of_a_version_does_not_count(install):
    install("noun", {"noun.py": '"""a"""'}, version="2.1.0+cpu")
    assert docstrings("noun").pin == "noun==2.1.0"
    assert versions(["noun", "no-such-package"]) == {"noun": "2.1.0", "no-such-package": None}


def test_a_file_of_another_python_is_left_out_with_a_warning(install, caplog):
    install("noun", {"noun/a.py": '"""a"""', "noun/b.py": "def b(: ...", "noun/c.py": b"\0"})
    assert docstrings("noun").texts == (("noun/a.py:", "a"),)
    assert [r.levelname for r in caplog.records] == ["WARNING", "WARNING"]
    assert "noun/b.py is no source" in caplog.text
    assert "noun/c.py is no source" in caplog.text


def test_a_package_that_is_not_installed_is_named_with_the_keys():
    told = r"'no-such-package' is not installed.*pip install no-such-package.*text\.packages"
    with pytest.raises(AtlasError, match=told):
        docstrings("no-such-package")


def test_a_package_without_docstrings_is_refused(install):
    install("noun", {"noun.py": "x = 1"})
    with pytest.raises(AtlasError, match=r"noun==1.0 has no docstrings; leave it out of text"):
        docstrings("noun")


def test_a_package_without_a_list_of_files_is_refused(install):
    site = install("noun", {"noun.py": '"""a"""'})
    (site / "noun-1.0.dist-info" / "RECORD").unlink()
    with pytest.raises(AtlasError, match=r"without a list of its files.*--force-reinstall noun"):
        docstrings("noun")


def test_a_file_that_cannot_be_read_is_refused(install, tmp_path):
    site = install("noun", {"noun.py": '"""a"""'})
    (site / "noun.py").unlink()
    (site / "noun.py").mkdir()
    with pytest.raises(AtlasError, match=r"noun\.py of package noun==1\.0 cannot be read"):
        docstrings("noun")
