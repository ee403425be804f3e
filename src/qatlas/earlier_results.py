"""Results that lie there already: whether another configuration made them."""

import json
from pathlib import Path

from pydantic import ValidationError

from qatlas.config.study import Study
from qatlas.errors import AtlasError


def require_own_results(study: Study, provenance: Path, record: Path) -> None:
    """Refuse results of another configuration of which the workflow has no record.

    What the workflow made it makes again when the configuration changes. Results that were copied
    here without its records would be taken as they are, whatever the configuration says.

    Parameters
    ----------
    study
        The study that is asked for.
    provenance
        The file of the results that holds their configuration; without it there is nothing to
        hold against.
    record
        Where the workflow keeps what it made that file from.

    Raises
    ------
    AtlasError
        If there is no record and the configurations differ, or the file is not readable.
    """
    if record.exists() or not provenance.exists():
        return
    results = provenance.parent
    differing = _differing(study, provenance)
    if differing:
        raise AtlasError(
            f"{provenance}: these results were made elsewhere, by a configuration that differs in "
            f"{', '.join(differing)}, so they are not those of this one; name the configuration "
            f"that made them (--configfile), or move them away and run again: "
            f"mv {results} {results}-of-another-configuration"
        )


def _differing(study: Study, provenance: Path) -> list[str]:
    """Sections in which a study is not the one that results were made from."""
    try:
        stated = json.loads(provenance.read_bytes())["config"]
        made_from = Study.model_validate(stated)
    except ValidationError as error:
        return sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtlasError(
            f"{provenance}: not readable ({error!r}), so nobody knows what made these results; "
            f"move them away and run again: mv {provenance.parent} {provenance.parent}-unknown"
        ) from error
    return [name for name in Study.model_fields if getattr(study, name) != getattr(made_from, name)]
