from qatlas.config.text import DocstringText, kind_of_text
from qatlas.models.docstrings import versions as package_versions


def text_file():
    """The file that the text is read from; none where there is none, or it is missing.

    The job that reads it says so, with the key to change.
    """
    path = getattr(study.text, "file", getattr(study.text, "parquet", ""))
    return [path] if Path(path).is_file() else []


def packages_of_text():
    return study.text.all_packages() if isinstance(study.text, DocstringText) else ()
