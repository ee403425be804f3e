"""The site of docs/: built without a warning, whole without a network."""

import os
import re
import subprocess
import sys

import pytest

from tests.workflow.conftest import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Folder of the built site; a warning is an error."""
    folder = tmp_path_factory.mktemp("site")
    run = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "SOURCE_DATE_EPOCH": "0", "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    return folder


def test_pages_load_nothing_from_a_network(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        loaded = re.findall(
            r"<(?:script|img|iframe)[^>]* src=\"?([^\s\">]+)"
            r"|<link[^>]* rel=\"?(?:stylesheet|preconnect)\"?[^>]* href=\"?([^\s\">]+)",
            page.read_text(),
        )
        assert loaded
        assert not [url for urls in loaded for url in urls if "//" in url], page.name


def test_readme_is_the_first_page(site):
    first = (site / "index.html").read_text()
    assert "information-theoretic limit" in first
    assert 'src="images/gap_to_empirical.png"' in first
    assert 'href="tutorial.html"' in first


def test_formulas_and_bars_of_tables_arrive_as_they_are_written(site):
    bounds = (site / "concepts/rate_distortion.html").read_text()
    assert "R = ½ log₂(1 / nMSE)" in bounds
    tables = (site / "tables.html").read_text()
    assert "largest |w - mean| / sigma" in tables


def test_search_finds_a_page_that_is_opened_as_a_file(site, chromium):
    asked, errors = [], []
    page = chromium.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((site / "index.html").as_uri())
    page.fill("input.md-search__input", "zonotope")
    hit = page.locator(".md-search-result__link").first
    hit.wait_for(state="attached", timeout=30_000)
    assert "geometry" in hit.get_attribute("href")
    page.close()
    assert errors == []
    assert not [url for url in asked if url.startswith("http")]
