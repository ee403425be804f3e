"""Check configuration files before Snakemake reads them: python -m qatlas.config.check FILE ..."""

import sys
from collections.abc import Sequence

from qatlas.config.files import read_config_file
from qatlas.config.loading import load
from qatlas.errors import AtlasError


def main(paths: Sequence[str]) -> str | None:
    """What is wrong with the first file that is not a study; None if nothing is."""
    try:
        for path in paths:
            load(read_config_file(path))
    except AtlasError as error:
        return str(error)
    return None if paths else "name a configuration file: python -m qatlas.config.check FILE"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
