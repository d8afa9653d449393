"""Text that is data (a cell, a file name, a query) meets markdown: it is shown, never obeyed."""

from __future__ import annotations

import re

# Streamlit replaces icons (:material/x:, :smile:), addresses and arrows after the markdown has
# been parsed, where a backslash no longer protects. A word joiner (no width, no break) does.
_JOINER = "\u2060"
_SYNTAX = re.compile(r"[\\`*_\[\]<>$~&|]")
_SHORTCODE = re.compile(r":(?=[\w+/-])")
_ADDRESS = re.compile(r"(?<=www)(?=\.)|(?<=@)(?=\w)", re.IGNORECASE)
_ARROW = re.compile(r"(?:(?<=\s)|^)(<(?=->|-|=)|-(?=>|-)|>(?==)|~(?==))")
_AT_START = re.compile(r"^(?:[-+#=]|\d+(?=[.)]))")


def escaped(text: str) -> str:
    r"""Return ``text`` as one line of Streamlit markdown that shows it verbatim.

    No images, links, emphasis, formulas, icons, colours, lists or headings come of it; runs of
    white space, line breaks among them, become one space.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Also safe inside a longer markdown line: ``f"**{escaped(name)}**"``.
    """
    line = " ".join(text.split())
    line = _ADDRESS.sub(_JOINER, _ARROW.sub(rf"\1{_JOINER}", line))
    line = _SHORTCODE.sub(f"\x00{_JOINER}", line)
    line = _SYNTAX.sub(r"\\\g<0>", line).replace("\x00", "\\:")
    return _AT_START.sub(_start, line)


def _start(found: re.Match[str]) -> str:
    """Keep the first character from opening a list, a heading or a rule."""
    word = found.group()
    return f"{word}{_JOINER}" if word[0].isdigit() else f"\\{word}"
