"""Articles that tests compile, and what can be read in them."""

import os
import re
import shutil
import subprocess
import unicodedata

import pytest

TOOLS = ("latexmk", "pdflatex", "pdftotext")
missing = [tool for tool in TOOLS if not shutil.which(tool)]
needs_latex = pytest.mark.skipif(
    bool(missing),
    reason=f"no LaTeX was compiled: {', '.join(missing)} not installed. On Debian: apt-get install "
    "--no-install-recommends latexmk texlive-latex-extra texlive-science poppler-utils",
)

PREAMBLE = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{mathptmx}
\usepackage{siunitx}
\usepackage[paperwidth=60in,paperheight=20in]{geometry}
\input{glyphtounicode}\pdfgentounicode=1
\hyphenpenalty=10000 \exhyphenpenalty=10000 \sloppy \pdftrailerid{}
"""
# What glyphs of marks are called in the fonts, and what was meant.
_SAME = str.maketrans({"ˆ": "^", "˜": "~", "ϕ": "φ", "ϵ": "ε", "Ω": "Ω", "∆": "Δ"})


def article(body, preamble=""):
    return f"{PREAMBLE}{preamble}\\begin{{document}}\n{body}\n\\end{{document}}\n"


def compile_main(folder):
    """Compile main.tex as the documentation says; the run, whose output tells what went wrong."""
    return subprocess.run(
        ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "main"],
        cwd=folder,
        env=os.environ | {"SOURCE_DATE_EPOCH": "0", "FORCE_SOURCE_DATE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=300,
    )


def compiled(folder):
    """The PDF of main.tex, which must compile."""
    run = compile_main(folder)
    assert run.returncode == 0, run.stdout[-3000:]
    return folder / "main.pdf"


def seen(pdf):
    """All that is to be read in a PDF, without white space."""
    command = ["pdftotext", "-enc", "UTF-8", "-nopgbrk", pdf, "-"]
    text = subprocess.run(command, capture_output=True, check=True).stdout.decode()
    return without_space(unicodedata.normalize("NFKC", text).translate(_SAME))


def without_space(text):
    return re.sub(r"\s", "", text)
