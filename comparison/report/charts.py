"""The few drawings of a report: SVG without a script, so that it can be printed and mailed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from comparison.report.content import AgreementPart
from comparison.task_result import TaskResult

_WIDTH, _NAMES, _ROW = 640, 200, 28


def matrix(part: AgreementPart) -> str:
    """Return a table of every two embeddings, darker where they agree more.

    Below each value stand its 95 % interval and the calibrated value, on the diagonal the floor.
    """
    table = part.table
    heads = "".join(f"<th scope=col>{escape(name)}</th>" for name in table.names)
    rows = []
    for i, name in enumerate(table.names):
        cells = "".join(_cell(part, i, j) for j in range(len(table.names)))
        rows.append(f"<tr><th scope=row>{escape(name)}</th>{cells}</tr>")
    body = "".join(rows)
    return (
        f"<div class=wide><table class=matrix><thead><tr><th></th>{heads}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(part: AgreementPart, i: int, j: int) -> str:
    table = part.table
    if i == j:
        floor = part.floors.get(table.names[i])
        told = "" if floor is None else f"<small>other seed</small><br>{floor:.2f}"
        return f"<td class=self>{told}</td>"
    value = float(table.values[i, j])
    if not math.isfinite(value):
        reason = table.refused.get((min(i, j), max(i, j)), "not measured")
        return f"<td class=none title='{escape(reason, quote=True)}'>–</td>"
    shade = round(100 * min(1.0, max(0.0, value)))
    low, high = float(table.low[i, j]), float(table.high[i, j])
    beneath = [f"{low:.2f} to {high:.2f}"] if math.isfinite(low) and math.isfinite(high) else []
    if (beside := part.calibrated.get((min(i, j), max(i, j)))) is not None:
        beneath.append(f"cal. {beside.calibrated:.2f}")
    below = "".join(f"<br><small>{words}</small>" for words in beneath)
    return f"<td style='--shade:{shade}%'>{value:.2f}{below}</td>"


def intervals(result: TaskResult) -> str:
    """Return each score as a dot with its interval, best first, chance as a dotted line."""
    names = [*result.ranked(), *(n for n, s in result.scores.items() if s.value is None)]
    ends = [v for s in result.scores.values() for v in (s.low, s.high, s.value) if v is not None]
    if not ends:
        return f"<p class=refused>{escape(result.refused or 'Nothing was measured.')}</p>"
    low = min([*ends, result.chance if result.chance is not None else ends[0]])
    high = max(ends)
    span = max(high - low, 1e-6)
    low, high = low - 0.05 * span, high + 0.08 * span

    def x(value: float) -> float:
        return _NAMES + (value - low) / (high - low) * (_WIDTH - _NAMES - 70)

    height = _ROW * len(names) + 26
    parts = [
        f"<svg viewBox='0 0 {_WIDTH} {height}' role=img "
        f"aria-label='{escape(result.measure, quote=True)}'>"
    ]
    if result.chance is not None:
        at = x(result.chance)
        parts.append(
            f"<line class=chance x1='{at:.1f}' x2='{at:.1f}' y1='4' y2='{height - 22}'/>"
            f"<text class=note x='{at:.1f}' y='{height - 8}'>chance {result.chance:.2f}</text>"
        )
    for row, name in enumerate(names):
        parts.append(_dot(result, name, 18 + row * _ROW, x))
    return "".join(parts) + "</svg>"


def _dot(result: TaskResult, name: str, y: float, x: Callable[[float], float]) -> str:
    score = result.scores[name]
    shown = name if len(name) <= 28 else name[:27] + "…"
    label = f"<text class=name x='{_NAMES - 12}' y='{y + 4}'>{escape(shown)}</text>"
    if score.value is None:
        return label + f"<text class=note x='{_NAMES}' y='{y + 4}'>{escape(score.refused)}</text>"
    bar = ""
    end = x(score.value)
    if score.low is not None and score.high is not None:
        end = x(score.high)
        bar = f"<line class=bar x1='{x(score.low):.1f}' x2='{end:.1f}' y1='{y}' y2='{y}'/>"
    kind = "baseline" if name in result.baselines else "dot"
    return (
        f"{label}{bar}<circle class={kind} cx='{x(score.value):.1f}' cy='{y}' r='5'/>"
        f"<text class=value x='{end + 9:.1f}' y='{y + 4}'>{score.value:.3f}</text>"
    )


def bars(counts: Sequence[int], *, title: str, axis: str) -> str:
    """Return a histogram of whole numbers 0 … k."""
    most = max([*counts, 1])
    wide = min(48.0, (_WIDTH - 20) / max(1, len(counts)))
    parts = [f"<svg viewBox='0 0 {_WIDTH} 170' role=img aria-label='{escape(title, quote=True)}'>"]
    for place, n in enumerate(counts):
        tall = 110 * n / most
        left = 10 + place * wide
        parts.append(
            f"<rect class=fill x='{left:.1f}' y='{130 - tall:.1f}' width='{wide - 3:.1f}' "
            f"height='{tall:.1f}'/><text class=mid x='{left + wide / 2 - 1.5:.1f}' "
            f"y='{124 - tall:.1f}'>{n:,}</text>"
            f"<text class=mid x='{left + wide / 2 - 1.5:.1f}' y='146'>{place}</text>"
        )
    parts.append(f"<text class=note style='text-anchor:start' x='10' y='164'>{escape(axis)}</text>")
    return "".join(parts) + "</svg>"
