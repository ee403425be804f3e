"""Made-up packages, installed as pip records them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a package of files: ``install("noun", {"noun/__init__.py": "source"})``."""

    def put(
        package: str,
        files: Mapping[str, str | bytes],
        version: str = "1.0",
        folder: str = "site",
    ) -> Path:
        site = tmp_path / folder
        for name, content in files.items():
            path = site / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        described = site / f"{package}-{version}.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Name: {package}\nVersion: {version}\n")
        (described / "RECORD").write_text("".join(f"{name},,\n" for name in files))
        monkeypatch.syspath_prepend(str(site))
        return site

    return put
