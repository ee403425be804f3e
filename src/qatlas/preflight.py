"""What is known before any job starts: codecs that refuse a matrix, or whose package is missing."""

from collections.abc import Iterator
from pathlib import Path

from qatlas.codecs import peers, registry
from qatlas.codecs.base import requirements_of
from qatlas.config.function import FolderCheckpoint, FolderLanguageModel
from qatlas.config.models import AnyModel, HubModel, LocalModel, PackagedModel, SampledModel
from qatlas.config.study import Study
from qatlas.errors import AtlasError
from qatlas.requirements import Requirements, Row, refusals, require_suitable_rows
from qatlas.weights.rows import possible_rows, rows_of_matrices
from qatlas.weights.snapshot import open_snapshot, require_own_files
from qatlas.weights.sources import packaged_folder

Needs = tuple[tuple[str, Requirements], ...]


def require_feasible(study: Study, fetched: str) -> None:
    """Refuse a study with a codec that does not take one of its matrices.

    A model of the hub that was not fetched yet is left out. So is one that cannot be read, since
    the job that reads it says what is wrong.

    Parameters
    ----------
    study
        The study.
    fetched
        Where snapshots of models of the hub lie once they are fetched, with "{model}" for the name.

    Raises
    ------
    AtlasError
        If a codec needs longer rows than a matrix has, or a second moment, which no model of a
        study has: a line for every problem, with the key and what would be taken. Or if the folder
        of a quantized checkpoint is missing, or that of any language model has links out of it.
    """
    _require_no_moments(study)
    _require_checkpoints(study)
    _require_own_folders(study)
    needs = needs_of_rows(study)
    rows = [
        row
        for name, model in study.models.items()
        for row in _rows(name, model, needs, Path(fetched.format(model=name)))
    ]
    require_suitable_rows(needs, rows)


def missing_packages(study: Study) -> dict[str, tuple[str, ...]]:
    """Packages of other projects that a grid runs and that are not installed, by its name."""
    missing = {
        name: peers.missing_packages(registry.create(grid.codec, **p) for p in grid.points())
        for name, grid in study.codecs.items()
    }
    return {name: packages for name, packages in missing.items() if packages}


def needs_of_rows(study: Study) -> Needs:
    """What the codecs of a study ask of rows, each with the key that asks for it."""
    needs = {
        (f"codecs.{name}.{need.parameter}", need): None
        for name, need in _requirements(study)
        if not need.any_row_will_do
    }
    return tuple(needs)


def _requirements(study: Study) -> Iterator[tuple[str, Requirements]]:
    """Name of a grid and what one of its points needs, for every point."""
    for name, grid in study.codecs.items():
        for point in grid.points():
            yield name, requirements_of(registry.create(grid.codec, **point))


def _require_no_moments(study: Study) -> None:
    needing = sorted({name for name, need in _requirements(study) if need.second_moment})
    others = ", ".join(sorted(study.codecs.keys() - needing)) or "there is none yet"
    if needing:
        lines = "\n".join(f"  codecs.{name}: {study.codecs[name].codec}" for name in needing)
        raise AtlasError(
            "these codecs need the second moment H = E[x x^T] of the layer's input, which no "
            f"model of a study has:\n{lines}\ntake codecs that do not ({others})"
        )


def _require_checkpoints(study: Study) -> None:
    for name, checkpoint in study.function.checkpoints.items() if study.function else ():
        if isinstance(checkpoint, FolderCheckpoint) and not Path(checkpoint.folder).is_dir():
            raise AtlasError(
                f"function.checkpoints.{name}.folder: there is no folder {checkpoint.folder}; give "
                "the one that holds config.json and *.safetensors of the checkpoint"
            )


def _require_own_folders(study: Study) -> None:
    """Those folders that jobs read in place; of others the job that links them looks."""
    if study.function is None:
        return
    for name, model in study.function.models.items():
        if isinstance(model, FolderLanguageModel):
            for seed in model.seeds:
                require_own_files(model.folder_of(seed), f"function.models.{name}.folder")
    for name, checkpoint in study.function.checkpoints.items():
        if isinstance(checkpoint, FolderCheckpoint):
            require_own_files(checkpoint.folder, f"function.checkpoints.{name}.folder")


def _rows(name: str, model: AnyModel, needs: Needs, fetched: Path) -> list[Row]:
    """Rows of a model that needs are to be held against; none where all possible ones will do."""
    if not needs:
        return []
    if isinstance(model, SampledModel):
        return [Row(name, "weight", model.columns)]
    try:
        folder = _folder(model, fetched)
        if folder is None:
            return []
        snapshot = open_snapshot(folder, name)
        possible = list(possible_rows(snapshot, model.include, model.smallest))
        if not refusals(needs, possible):
            return []
        return rows_of_matrices(snapshot, model.include, model.smallest)
    except (AtlasError, OSError):
        return []  # The job that reads the model says what is wrong with it, and what to do.


def _folder(model: PackagedModel | LocalModel | HubModel, fetched: Path) -> Path | None:
    """Where a checkpoint lies before any job; None if it is still to be fetched."""
    if isinstance(model, PackagedModel):
        return packaged_folder(model.package, model.folder)
    if isinstance(model, LocalModel):
        return Path(model.path)
    return fetched if _is_of(fetched, model.hub) else None


def _is_of(folder: Path, repository: str) -> bool:
    """Whether a snapshot is of this repository: its files are links into the hub's cache."""
    cached = f"models--{repository.replace('/', '--')}"
    links = [path for path in folder.glob("*.safetensors") if path.is_symlink()]
    return any(cached in path.readlink().parts for path in links)
