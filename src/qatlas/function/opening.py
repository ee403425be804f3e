"""A language model, what calibrated codecs know of it, and what it is made to read: from files."""

from pathlib import Path
from typing import Any

from qatlas.function.calibration import read_moments
from qatlas.function.evaluation import Calibrated, Reading, reading_of
from qatlas.models.corpus import DOCUMENTS
from qatlas.models.reading import open_language_model
from qatlas.tables import read_table


def open_calibrated(
    name: str,
    training: int,
    folder: str | Path,
    keep: tuple[str, ...],
    moments: str | Path,
    documents: str | Path,
    reading: dict[str, Any],
    seed: int,
) -> tuple[Calibrated, Reading]:
    """Open one training of a language model.

    Parameters
    ----------
    name, training
        Its name, and the seed of the training.
    folder
        Of the model.
    keep
        Name patterns of weights that are not quantized.
    moments, documents
        Files of the inputs' moments and of the text.
    reading
        Part, tokens, context, batch and device, as ``reading_of`` takes them.
    seed
        Of the order of the documents.

    Raises
    ------
    AtlasError
        If a file is not as it should be, or the text is too short.
    """
    opened = open_language_model(folder)
    calibrated = Calibrated(name, training, opened.model, keep, read_moments(moments))
    text = read_table(DOCUMENTS, documents)
    return calibrated, reading_of(text, opened.reader, **reading, seed=seed)
