"""Write envs/atlas.yaml, the conda environment of the rules, with the pins of requirements.txt."""

import re
from pathlib import Path

HERE = Path(__file__).parent
HEADER = """\
# The environment of every rule, for `snakemake --sdm conda`; the pins are those of
# requirements.txt. `make lock` writes this file.
channels:
  - conda-forge
  - nodefaults
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def environment(lock: str) -> str:
    """The conda environment of a lock file, as YAML."""
    pins = re.findall(r"^[A-Za-z0-9._-]+==\S+", lock, flags=re.MULTILINE)
    return HEADER + "".join(f"    - {pin}\n" for pin in pins)


if __name__ == "__main__":
    lock = (HERE.parent / "requirements.txt").read_text()
    (HERE / "atlas.yaml").write_text(environment(lock))
