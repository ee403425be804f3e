"""Any text as LaTeX that reads the same."""

import re
import unicodedata

_COMMANDS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "#": r"\#",
    "$": r"\$",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "…": r"\textellipsis{}",
    "µ": r"\textmu{}",
    "×": r"\texttimes{}",
    "±": r"\textpm{}",
    "°": r"\textdegree{}",
    "·": r"\textperiodcentered{}",
    "√": r"\ensuremath{\surd}",
    "∞": r"\ensuremath{\infty}",
    "≤": r"\ensuremath{\leq}",
    "≥": r"\ensuremath{\geq}",
    "≠": r"\ensuremath{\neq}",
    "≈": r"\ensuremath{\approx}",
    "−": r"\ensuremath{-}",
    "→": r"\ensuremath{\rightarrow}",
}
# Two of them in a row are one sign in the fonts of LaTeX.
_LIGATURES = re.compile(r"([-,])(?=\1)")
_GREEK = re.compile(r"GREEK (SMALL|CAPITAL) LETTER (?!OMICRON|FINAL)([A-Z]+)$")
_LATIN_CAPITALS = {
    "ALPHA": "A",
    "BETA": "B",
    "EPSILON": "E",
    "ZETA": "Z",
    "ETA": "H",
    "IOTA": "I",
    "KAPPA": "K",
    "MU": "M",
    "NU": "N",
    "RHO": "P",
    "TAU": "T",
    "CHI": "X",
}
_SPELT = {"LAMDA": "LAMBDA"}
# Letters with accents that the T1 encoding has: Latin-1 and most of Latin Extended-A.
_ACCENTED = re.compile(r"[À-ÖØ-öø-ÿĂ-ćČ-ďĘ-ěĹĺĽľŁ-ńŇňŐ-őŔŕŘ-śŞ-šŢ-ťŮ-űŹ-ž]")
_BREAKABLE = re.compile(r"(\\_|[./])(?=\w)")


def escape(text: str) -> str:
    """Text that LaTeX sets as it stands here, in text and in captions.

    Letters that the fonts of LaTeX do not have are set as their code point, such as ``[U+4E2D]``;
    white space of any kind is a space.

    The preamble must ask for the T1 encoding; the file must be UTF-8.
    """
    spaced = "".join(" " if character.isspace() else character for character in text)
    apart = _LIGATURES.sub(r"\1" + "\0", spaced.replace("\0", "\1"))
    return "".join(map(_of_character, apart))


def escape_name(name: str) -> str:
    """A name of the configuration or of a tensor, which may be broken after ``_``, ``.``, ``/``."""
    return _BREAKABLE.sub(r"\1\\allowbreak{}", escape(name))


def _of_character(character: str) -> str:
    if character == "\0":
        return "{}"
    if character in _COMMANDS:
        return _COMMANDS[character]
    if (character.isascii() and character.isprintable()) or _ACCENTED.match(character):
        return character
    if letter := _GREEK.match(unicodedata.name(character, "")):
        return _greek(*letter.groups())
    return f"[U+{ord(character):04X}]"


def _greek(case: str, name: str) -> str:
    if case == "CAPITAL" and name in _LATIN_CAPITALS:
        return rf"\ensuremath{{\mathrm{{{_LATIN_CAPITALS[name]}}}}}"
    command = _SPELT.get(name, name)
    command = command.capitalize() if case == "CAPITAL" else command.lower()
    return rf"\ensuremath{{\{command}}}"
