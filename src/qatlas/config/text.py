"""The text that models are trained and measured on."""

from collections.abc import Mapping
from itertools import combinations
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from qatlas.config.models import Revision
from qatlas.config.section import PlainPath, Section

Package = Annotated[str, Field(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")]

TRAINING_PACKAGES = (
    "huggingface-hub",
    "hypothesis",
    "joblib",
    "mpmath",
    "narwhals",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "scikit-learn",
    "scipy",
    "sentence-transformers",
    "sympy",
    "torch",
    "transformers",
)
"""Locked packages that document numerics, data and models at length."""

VALIDATION_PACKAGES = ("networkx",)
"""Graphs are a subject of their own, so little of this text stands in another package too."""

TEST_PACKAGES = ("contourpy", "matplotlib", "pillow")
"""So is drawing."""


class Text(Section):
    """What all texts have in common."""

    vocabulary: int = Field(
        2048, ge=257, le=65536, description="Tokens of the vocabulary: bytes, merges, separator."
    )
    context: int = Field(
        256,
        ge=2,
        le=2**20,
        description="Tokens that a model sees at once; every part has at least so many.",
    )


class DocstringText(Text):
    """Docstrings of installed packages, the same on every machine with the same lock."""

    packages: tuple[Package, ...] = Field(
        TRAINING_PACKAGES, min_length=1, description="Packages of the training part."
    )
    validation: tuple[Package, ...] = Field(
        VALIDATION_PACKAGES, min_length=1, description="Packages of the validation part."
    )
    test: tuple[Package, ...] = Field(
        TEST_PACKAGES, min_length=1, description="Packages of the test part."
    )

    @model_validator(mode="after")
    def _held_out(self) -> "DocstringText":
        parts = {"packages": self.packages, "validation": self.validation, "test": self.test}
        for one, other in combinations(parts, 2):
            if shared := set(parts[one]) & set(parts[other]):
                raise ValueError(
                    f"{one} and {other} both hold {min(shared)}; what is held out whole stands "
                    "in one of them"
                )
        return self

    def all_packages(self) -> tuple[str, ...]:
        """Packages of all parts."""
        return (*self.packages, *self.validation, *self.test)


class LocalText(Text):
    """A text on this machine, whose end is held out."""

    held_out: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="Share of the bytes, at the end, of the validation part and of the test part.",
    )


class FileText(LocalText):
    """A plain text file in UTF-8."""

    file: PlainPath = Field(description="Path of the file.")
    separator: str = Field(
        "\n\n", min_length=1, description="What stands between its documents; a blank line."
    )


class ParquetText(LocalText):
    """A column of a parquet file, one document a row."""

    parquet: PlainPath = Field(description="Path of the file.")
    column: str = Field("text", description="Column of the documents.")


class DatasetText(Text):
    """A dataset of the Hugging Face hub, as the library datasets reads it, one document a row."""

    dataset: str = Field(description="Name on the hub, such as Salesforce/wikitext.")
    subset: str | None = Field(None, description="Such as wikitext-2-raw-v1; if none, the default.")
    revision: Revision = Field(description="Commit, tag or branch; only a commit never changes.")
    column: str = Field("text", description="Column of the documents.")
    training: str = Field("train", description="Split that is the training part.")
    validation: str = Field("validation", description="Split that is the validation part.")
    test: str = Field("test", description="Split that is the test part.")


KINDS_OF_TEXT: dict[str, type[Text]] = {
    "packages": DocstringText,
    "file": FileText,
    "parquet": ParquetText,
    "dataset": DatasetText,
}
"""The sections that describe a text, by the key that only they have; the first is the default."""


def kind_of_text(given: Any) -> str | None:
    """The one key that tells which kind of text is meant; None if there are several, or strange."""
    keys = given if isinstance(given, Mapping) else getattr(type(given), "model_fields", ())
    found = [kind for kind in KINDS_OF_TEXT if kind in keys]
    if not found and all(key in DocstringText.model_fields for key in keys):
        return "packages"
    return found[0] if len(found) == 1 else None


AnyText = Annotated[
    Annotated[DocstringText, Tag("packages")]
    | Annotated[FileText, Tag("file")]
    | Annotated[ParquetText, Tag("parquet")]
    | Annotated[DatasetText, Tag("dataset")],
    Discriminator(
        kind_of_text,
        custom_error_type="kind_of_text",
        custom_error_message=f"a text has at most one of the keys {', '.join(KINDS_OF_TEXT)}",
    ),
]
