"""Data shown through markdown appears as it is, and does nothing."""

import re

import pytest

from components.markdown import escaped

JOINER = "\u2060"


def seen(markdown: str) -> str:
    """Undo backslashes and invisible joiners as a reader's eye does."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace(JOINER, "")


HOSTILE = [
    "![](http://host/x.png)",
    "[click](https://host)",
    "*bold* _under_ `code` ~~gone~~",
    "costs $5 and $6",
    ":material/delete: :smile: :red[alarm]",
    "<img src=x onerror=alert(1)> &amp;",
    "http://host www.host.org me@host.org",
    "a -> b <-> c -- d >= e",
    "# heading",
    "- entry",
    "12. entry",
    "| a | b |",
    "back\\slash",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_reader_sees_the_text_as_it_is(text):
    assert seen(escaped(text)) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_no_markdown_is_left_active(text):
    shown = escaped(text)
    assert not re.search(r"(?<!\\)[`*_\[\]<>$~&|]", shown.replace("\\\\", ""))
    assert not re.search(r":(material/)?\w+:|\w://|www\.|@\w|(^|\s)(->|<->|--)(\s|$)", shown)
    assert not re.match(r"[-+#=]|\d+[.)]", shown)


def test_line_breaks_cannot_open_a_block():
    assert escaped("a\n\n# b\r\n    c") == "a # b c"


def test_plain_sentences_stay_as_they_are():
    text = "The file, row 3: it's 5-10 % (of 20), isn't it?"
    assert escaped(text) == text
