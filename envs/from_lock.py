"""Write the conda environments of the rules with the pins of the lock files."""

import re
from pathlib import Path

HERE = Path(__file__).parent
HEADER = """\
# The environment of {rules}, for `snakemake --sdm conda`; the pins are those of
# {locks}. `make lock` writes this file.
channels:
  - conda-forge
  - nodefaults
dependencies:
"""


def environment(rules: str, packages: list[str], locks: dict[str, str]) -> str:
    """A conda environment, as YAML.

    Parameters
    ----------
    rules
        Which rules run in it.
    packages
        What conda installs beside Python and pip.
    locks
        Content of the lock files whose pins pip installs, by their names.
    """
    pins = dict.fromkeys(
        pin
        for lock in locks.values()
        for pin in re.findall(r"^[A-Za-z0-9._-]+==\S+", lock, flags=re.MULTILINE)
    )
    header = HEADER.format(rules=rules, locks=" and ".join(locks))
    conda = "".join(f"  - {package}\n" for package in ("python=3.11", "pip", *packages))
    return header + conda + "  - pip:\n" + "".join(f"    - {pin}\n" for pin in pins)


def environments() -> dict[str, str]:
    """Every environment, by the name of its file."""
    names = ("requirements.txt", "requirements-animations.txt")
    base, animations = ({name: (HERE.parent / name).read_text()} for name in names)
    return {
        "atlas.yaml": environment("every rule but animations", [], base),
        "animations.yaml": environment(
            "animations", ["c-compiler", "pango", "pkg-config"], base | animations
        ),
    }


if __name__ == "__main__":
    for name, content in environments().items():
        (HERE / name).write_text(content)
