"""The shapes of several spaces as a table: what each figure says, and where there is none."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field

from comparison.space_profile import SpaceProfile
from comparison.space_words import Cell, lines


@dataclass
class _Notes:
    """Reasons that were met, each with its number."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, reason: str) -> int:
        return self.numbers.setdefault(reason, len(self.numbers) + 1)


def table_html(shapes: Mapping[str, SpaceProfile]) -> str:
    """Return the table of all figures as HTML; reasons of refused ones stand below.

    Parameters
    ----------
    shapes : mapping of str to SpaceProfile
        By the name of the method.
    """
    notes = _Notes()
    k = next(iter(shapes.values())).k
    heads = "".join(
        f'<th scope="col">{html.escape(name)}<small>{shape.metric}, {shape.d:,}-d</small></th>'
        for name, shape in shapes.items()
    )
    body = ""
    for title, group in lines(k).items():
        body += (
            f'<tr class="es-group"><th colspan="{len(shapes) + 1}">{html.escape(title)}</th></tr>'
        )
        for line in group:
            cells = "".join(_cell(line.cell(shape), notes) for shape in shapes.values())
            body += (
                f'<tr><th scope="row">{html.escape(line.title)}'
                f"<small>{html.escape(line.says)}</small></th>{cells}</tr>"
            )
    reasons = "".join(
        f"<li><sup>{number}</sup> {html.escape(reason)}</li>"
        for reason, number in notes.numbers.items()
    )
    return (
        f'<style>{_STYLE}</style><div class="es-shapes" data-testid="shapes"><table><thead><tr>'
        f"<th></th>{heads}</tr></thead><tbody>{body}</tbody></table>"
        f"{f'<ul>{reasons}</ul>' if reasons else ''}</div>"
    )


def _cell(cell: Cell, notes: _Notes) -> str:
    if cell.reason:
        reason = html.escape(cell.reason, quote=True)
        return (
            f'<td class="es-none" title="{reason}">none<sup>{notes.number(cell.reason)}</sup></td>'
        )
    return f'<td title="{cell.n:,} items">{html.escape(cell.text)}</td>'


_STYLE = """
.es-shapes{overflow-x:auto}
.es-shapes table{border-collapse:collapse;width:100%}
.es-shapes th,.es-shapes td{padding:.38rem .7rem;border:0;border-bottom:1px solid #8883;
vertical-align:top;font-size:.92rem}
.es-shapes th{text-align:left;font-weight:600}
.es-shapes thead th,.es-shapes td{text-align:right;min-width:6.2rem;overflow-wrap:anywhere}
.es-shapes td{font-variant-numeric:tabular-nums;white-space:nowrap}
.es-shapes tbody th{width:32rem;min-width:15rem}
.es-shapes small{display:block;font-weight:400;font-size:.8rem;opacity:.7;line-height:1.35}
.es-shapes .es-group th{padding-top:1rem;font-size:.85rem;opacity:.75;border-bottom-width:2px}
.es-shapes .es-none{opacity:.5}
.es-shapes ul{list-style:none;margin:.5rem 0 0;padding:0;font-size:.82rem;opacity:.75}
.es-shapes.es-shapes li{margin:.15rem 0}
"""
