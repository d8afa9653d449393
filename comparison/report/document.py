"""The page itself: HTML and CSS in one file, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from comparison.report.charts import bars, intervals, matrix
from comparison.report.content import (
    AgreementPart,
    ChangedItem,
    PairPart,
    ReportContent,
    TablePart,
)
from comparison.task_result import TaskResult

_MOST_TEXT = 220


def render(content: ReportContent) -> str:
    """Return the report as one HTML document.

    Parameters
    ----------
    content : ReportContent

    Returns
    -------
    str
        Without scripts, fonts or pictures from elsewhere.
    """
    parts = [
        _section("In short", _list(content.verdict)) if content.verdict else "",
        _section("What was compared", _members(content)),
        _section("How far they agree", _agreements(content)),
        _section("How well they do", "".join(map(_task, content.tasks))) if content.tasks else "",
        _pair(content.pair) if content.pair else "",
        _section(content.shapes.title, _words_table(content.shapes)) if content.shapes else "",
        _section("In fewer bytes", "".join(_titled(one) for one in content.compression))
        if content.compression
        else "",
        _section("How it was made", _made(content)),
    ]
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>"
        for name, value in content.facts.items()
    )
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width, initial-scale=1'>"
        f"<title>{escape(content.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><p class=brand>Embedscope</p><h1>{escape(content.title)}</h1>"
        f"<dl class=facts>{facts}</dl></header>{''.join(parts)}</main></body></html>"
    )


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def _list(sentences: Iterable[str]) -> str:
    return "<ul class=verdict>" + "".join(f"<li>{escape(s)}</li>" for s in sentences) + "</ul>"


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th scope=col>{escape(h)}</th>" for h in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _members(content: ReportContent) -> str:
    heads = ["name", "method", "settings", "seed", "dimensions", "metric", "MB", "seconds"]
    return _table(
        heads,
        (
            [
                m.name,
                m.method,
                m.settings,
                "–" if m.seed is None else str(m.seed),
                f"{m.dim:,}",
                m.metric,
                f"{m.megabytes:.1f}",
                f"{m.seconds:.1f}",
            ]
            for m in content.members
        ),
    )


def _agreements(content: ReportContent) -> str:
    curve = _titled(content.curve) if content.curve else ""
    return "".join(map(_agreement, content.agreements)) + curve


def _agreement(part: AgreementPart) -> str:
    table = part.table
    told = [f"{table.n_used:,} items", "below each value its 95 % interval"]
    if table.chance is not None:
        told.append(f"unrelated spaces: {table.chance:.3f}")
    elif part.calibrated:
        random = [beside.chance for beside in part.calibrated.values()]
        told.append(f"random pairings give {min(random):.2f} to {max(random):.2f}")
    if part.floors:
        told.append("on the diagonal: the same method with another seed")
    if part.calibrated:
        told.append(
            "cal.: calibrated by random pairings, 0 is no more than chance, 1 the largest value "
            f"({part.sampled})"
        )
    reasons = "".join(
        f"<p class=note>–: {escape(reason)}</p>" for reason in dict.fromkeys(table.refused.values())
    )
    return (
        f"<h3>{escape(table.measure)}</h3>"
        f"<p>{escape(part.says)}</p><p class=note>{escape(' · '.join(told))}</p>"
        f"{matrix(part)}{reasons}"
    )


def _titled(part: TablePart) -> str:
    return f"<h3>{escape(part.title)}</h3>{_words_table(part)}"


def _words_table(part: TablePart) -> str:
    notes = "".join(f"<p class=note>{escape(note)}</p>" for note in part.notes)
    return f"<p class=note>{escape(part.says)}</p>{_table(part.heads, part.rows)}{notes}"


def _task(result: TaskResult) -> str:
    if result.refused:
        return f"<h3>{escape(result.title)}</h3><p class=refused>{escape(result.refused)}</p>"
    settings = ", ".join(f"{k} {v}" for k, v in result.settings.items() if v is not None)
    told = [f"{result.n:,} {result.unit}", "lines: 95 % intervals", settings]
    told += [f"{n:,} left out: {why}" for why, n in result.left_out.items()]
    if result.chance is not None and result.chance_how:
        told.append(f"chance: {result.chance_how}")
    best, tied = result.best(), result.tied_with_best()
    apart = ""
    if best and tied:
        names = ", ".join(tied)
        apart = f"<p>{escape(f'Not told apart from {best} by these {result.unit}: {names}.')}</p>"
    warning = f"<p class=warning>{escape(result.warning)}</p>" if result.warning else ""
    return (
        f"<h3>{escape(result.title)}: {escape(result.measure)}</h3>"
        f"<p class=note>{escape(' · '.join(t for t in told if t))}</p>"
        f"{intervals(result)}{apart}{warning}"
    )


def _pair(part: PairPart) -> str:
    a, b = part.names
    k = len(part.counts) - 1
    chart = bars(
        part.counts,
        title="Items by shared neighbours",
        axis=f"of its {k} nearest, how many both name; above each bar the number of items",
    )
    items = "".join(_changed(item, a, b) for item in part.items)
    return _section(
        f"{a} and {b}, the closer look",
        f"{_list(part.sentences)}{chart}<h3>Items they see most differently</h3>"
        f"<p class=note>{escape(part.rule)} In bold: among the {k} nearest of both.</p>{items}",
    )


def _changed(item: ChangedItem, a: str, b: str) -> str:
    label = f" <span class=tag>{escape(item.label)}</span>" if item.label else ""
    moved = "" if item.displacement is None else f", moved {item.displacement:.2f}"
    columns = "".join(
        f"<div><h4>{escape(name)}</h4><ol>"
        + "".join(
            f"<li{' class=both' if named else ''}>{escape(_cut(text))}</li>"
            for text, named in zip(near, both, strict=True)
        )
        + "</ol></div>"
        for name, near, both in zip((a, b), item.near, item.both, strict=True)
    )
    return (
        f"<article><p><strong>{escape(_cut(item.text))}</strong>{label} "
        f"<span class=note>overlap {item.overlap:.2f}{moved}</span></p>"
        f"<div class=two>{columns}</div></article>"
    )


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MOST_TEXT else line[: _MOST_TEXT - 1].rstrip() + "…"


def _made(content: ReportContent) -> str:
    parts = [_list(content.left_out)] if content.left_out else []
    sources = [(m.name, m.source) for m in content.members if m.source]
    if sources:
        parts.append(_table(["name", "source"], sources))
    if content.versions:
        told = ", ".join(f"{name} {version}" for name, version in content.versions.items())
        parts.append(f"<p class=note>{escape(told)}</p>")
    if content.recipe:
        parts.append(
            "<details><summary>Recipe that makes this comparison again</summary>"
            f"<pre>{escape(content.recipe)}</pre></details>"
        )
    return "".join(parts)


_STYLE = """
:root{--text:#1b2730;--quiet:#5d6b76;--line:#d7dfe5;--ground:#fff;--accent:#0b6e99;--second:#b45f06}
@media (prefers-color-scheme:dark){:root{--text:#e4ebf0;--quiet:#a3b0ba;--line:#33414b;
--ground:#12181d;--accent:#4aa3cf;--second:#f0a030}}
@media print{:root{--text:#000;--quiet:#444;--line:#bbb;--ground:#fff;--accent:#0b6e99}
section,article,svg{break-inside:avoid}}
body{margin:0;background:var(--ground);color:var(--text);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:60rem;margin:0 auto;padding:2rem 1.2rem 4rem}
.brand{color:var(--accent);font-weight:600;margin:0}h1{margin:.1rem 0 .8rem;font-size:1.9rem}
h2{margin:2.4rem 0 .6rem;font-size:1.35rem;border-top:1px solid var(--line);padding-top:1.2rem}
h3{margin:1.4rem 0 .2rem;font-size:1.05rem}h4{margin:.2rem 0;font-size:.9rem;color:var(--quiet)}
.facts{display:flex;flex-wrap:wrap;gap:.4rem 2rem;margin:0}.facts dt{color:var(--quiet);
font-size:.8rem}.facts dd{margin:0}
.verdict li{margin:.35rem 0}.note{color:var(--quiet);font-size:.86rem}
.refused,.warning{color:var(--second)}
.wide{overflow-x:auto}table{border-collapse:collapse;margin:.6rem 0}
th,td{border-bottom:1px solid var(--line);padding:.35rem .7rem;text-align:left;vertical-align:top;
font-size:.9rem}thead th{color:var(--quiet);font-weight:500}
.matrix td{min-width:4.2rem;text-align:center;border:2px solid var(--ground);
background:color-mix(in srgb,var(--accent) calc(var(--shade,0%)*.7),var(--ground))}
.matrix .self{background:none;color:var(--quiet)}.matrix .none{background:var(--line)}
.matrix th{font-weight:500;border:0;max-width:9rem}
svg{max-width:100%;display:block;margin:.6rem 0}svg text{fill:var(--text);font-size:13px}
svg .name{text-anchor:end}svg .note{fill:var(--quiet);font-size:12px;text-anchor:middle}
svg .mid{text-anchor:middle;font-size:11.5px;fill:var(--quiet)}svg .value{font-size:12.5px}
svg .bar{stroke:var(--accent);stroke-width:3;stroke-linecap:round;opacity:.45}
svg .dot{fill:var(--accent)}svg .baseline{fill:var(--second)}svg .fill{fill:var(--accent)}
svg .chance{stroke:var(--quiet);stroke-dasharray:2 4}
article{border:1px solid var(--line);border-radius:.5rem;padding:.2rem 1rem .6rem;margin:.8rem 0}
.two{display:grid;grid-template-columns:1fr 1fr;gap:1.2rem}ol{margin:0;padding-left:1.4rem}
ol li{margin:.15rem 0;font-size:.9rem}.both{color:var(--accent);font-weight:600}
.tag{border:1px solid var(--line);border-radius:1rem;padding:.05rem .5rem;font-size:.8rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;font-size:.8rem;border:1px solid var(--line);
padding:.8rem;border-radius:.5rem}
@media (max-width:40rem){.two{grid-template-columns:1fr}}
"""
