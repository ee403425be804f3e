"""A hook of mkdocs: README is the first page of the site, so that there is one of it."""

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add README as index.md, its links those of a page of docs/."""
    readme = Path(config.config_file_path).with_name("README.md").read_text()
    content = "---\nhide: [navigation]\n---\n" + readme.replace("](docs/", "](")
    files.append(File.generated(config, "index.md", content=content))
    return files
