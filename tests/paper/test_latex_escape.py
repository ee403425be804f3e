"""Text in LaTeX: whatever it is, it compiles and reads the same."""

import re
import string
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from qatlas.paper.latex.escape import escape, escape_name
from tests.paper.latex_of import article, compiled, needs_latex, seen, without_space

SPECIAL = "\\{}#$%&_^~<>|\"'`"
NASTY = [
    SPECIAL,
    string.printable,
    "50% of $5 & #1 of {a_b}^c ~ \\alpha",
    "model_1/encoder.layer.0 -- it's --- \"quoted\" ``so'' ,,low <<angle>> ?` !`",
    "\\input{/etc/passwd} \\end{document} ^^4d %comment",
    "naïve Éclair façade Ångström Łódź Győr Čapek",
    "σ ν Δ Ω Σ α β π",
    "a × b ± c µ° ≤ ≥ ≈ 2 → … – —",
]
ELSEWHERE = {
    "模型": "[U+6A21][U+578B]",
    "\u200b": "[U+200B]",
    "😀": "[U+1F600]",
    "\x07": "[U+0007]",
}


@given(st.text())
def test_what_is_left_of_any_text_has_no_character_that_latex_acts_on(text):
    escaped = escape(text)
    plain = re.sub(r"\\ensuremath\{(\\[A-Za-z]+|\\mathrm\{[A-Z]\}|-)\}", "", escaped)
    plain = re.sub(r"\\text[a-z]+\{\}|\\[{}#$%&_]|(?<=[-,])\{\}", "", plain)
    assert not set(plain) & set(SPECIAL)
    assert all(" " <= letter <= "~" or unicodedata.category(letter)[0] == "L" for letter in plain)


@given(st.text(), st.text())
def test_texts_are_escaped_letter_by_letter(one, other):
    apart = escape(f"{one} ") + escape(other)
    assert escape(f"{one} {other}") == apart


@given(st.text(alphabet=string.ascii_letters + string.digits + " ()[]:;!?*+=@"))
def test_plain_text_stays_as_it_is(text):
    assert escape(text) == text


def test_names_may_be_broken_between_their_parts_and_nowhere_else():
    assert escape_name("a_b.c/d") == r"a\_\allowbreak{}b.\allowbreak{}c/\allowbreak{}d"
    assert escape_name("v1.") == "v1."


@needs_latex
def test_every_text_compiles_and_reads_the_same(tmp_path):
    texts = {text: text for text in NASTY} | ELSEWHERE
    lines = [f"[[{n}: {escape(text)} ]]\\par" for n, text in enumerate(texts)]
    names = [f"((\\fbox{{{n}: {escape_name(text)} }}))\\par" for n, text in enumerate(texts)]
    (tmp_path / "main.tex").write_text(article("\n".join([*lines, *names])))
    found = seen(compiled(tmp_path))
    for n, expected in enumerate(texts.values()):
        read = unicodedata.normalize("NFKC", without_space(expected))
        assert f"[[{n}:{read}]]" in found
        assert f"(({n}:{read}))" in found


@needs_latex
def test_accented_letters_compile_and_are_all_there(tmp_path):
    accented = [letter for letter in map(chr, range(0xC0, 0x180)) if escape(letter) == letter]
    assert len(accented) > 100
    lines = [f"[{number}:{escape(letter)}]\\par" for number, letter in enumerate(accented)]
    (tmp_path / "main.tex").write_text(article("\n".join(lines)))
    found = seen(compiled(tmp_path))
    # Fonts compose some of them, so the mark may be read before its letter, or after.
    for number, letter in enumerate(accented):
        base = unicodedata.normalize("NFKD", letter)[0]
        assert re.search(rf"\[{number}:[^\]]?({letter}|{base})", found), letter
