"""The paper of the finished smoke study."""

import json

import pytest
from pypdf import PdfReader

pytestmark = pytest.mark.xdist_group("study")


def test_the_paper_has_the_numbers_of_the_summaries(study):
    summary = json.loads((study.folder / "results/rate_distortion/summary.json").read_text())
    gap = summary["values"]["minilm.4bit.nearest_gap_empirical_bits"]["value"]
    first, *_ = PdfReader(study.folder / "results/paper/paper.pdf").pages
    text = " ".join(first.extract_text().split())
    assert f"spends {gap:.3g} bit more than the limit" in text
    assert "This study asks five of them" in text
