"""The results of a task: figures with intervals, what cannot be told apart, what was left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from comparison.task_result import Difference, TaskResult
from components import session
from components.figures.task_bars import task_bars
from components.markdown import escaped

_MISSING = float("nan")


@dataclass(frozen=True)
class Standing:
    """Who is best, who cannot be told from it, and how far the next one is behind."""

    best: str | None
    tied: tuple[str, ...]
    lead: Difference | None


def standing(result: TaskResult) -> Standing:
    """Return how the names of a result stand to the best of them."""
    ranked = result.ranked()
    if not ranked:
        return Standing(None, (), None)
    tied = result.tied_with_best()
    behind = [name for name in ranked[1:] if name not in tied]
    lead = result.difference(ranked[0], behind[0]) if behind else None
    return Standing(ranked[0], tied, lead)


def draw_results(results: Sequence[TaskResult], *, id: str, key: str) -> None:
    """Draw one measure at a time.

    Parameters
    ----------
    results : sequence of TaskResult
        Of one task.
    id : str
        Of the finding.
    key : str
        Of the widgets.
    """
    by_measure = {result.measure: result for result in results}
    measure = next(iter(by_measure))
    if len(by_measure) > 1:
        measure = (
            st.segmented_control(
                "Measure",
                list(by_measure),
                default=measure,
                required=True,
                key=f"{key}.measure.{'.'.join(by_measure)}",
                label_visibility="collapsed",
            )
            or measure
        )
    result = by_measure[measure]
    if result.refused:
        st.info(escaped(result.refused), icon=":material/block:")
        _footnotes(result)
        return
    found = session.worked_out(("standing", id, measure), lambda: standing(result))
    names = list(result.scores)
    scores = list(result.scores.values())
    value, low, high = (
        [_MISSING if (v := getattr(score, part)) is None else v for score in scores]
        for part in ("value", "low", "high")
    )
    st.plotly_chart(
        task_bars(
            names,
            value,
            low,
            high,
            title=result.title,
            measure=result.measure,
            chance=result.chance,
            level_with_best=found.tied,
            reasons={name: s.refused for name, s in result.scores.items() if s.refused},
            note=_of_n(result),
            dark=session.is_dark(),
        ),
        key=f"{key}.chart.{measure}",
        config={"displayModeBar": False},
    )
    st.markdown(escaped(verdict(result, found)))
    if result.warning:
        st.markdown(f":material/info: {escaped(result.warning)}")
    frame = score_table(result)
    st.dataframe(
        frame,
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format=_format(frame[name]))
            for name in frame.columns
            if pd.api.types.is_float_dtype(frame[name])
        },
    )
    _footnotes(result)


def verdict(result: TaskResult, found: Standing) -> str:
    """Return who is best and whether these units tell the others from it."""
    if found.best is None:
        return "No embedding has a figure; the chart says why."
    best = result[found.best].value
    units = f"these {result.n:,} {result.unit}"
    baseline = ", a baseline," if found.best in result.baselines else ""
    text = f"{found.best}{baseline} has the highest {result.measure}, {_short(best)}."
    if found.tied:
        what = _listed(found.tied)
        text += f" On {units} it cannot be told apart from {what}."
    if found.lead is not None:
        lead = found.lead
        text += (
            f" It lies {_short(lead.interval.mean)} above {lead.second} "
            f"(95 % interval of the difference {_short(lead.interval.low)} to "
            f"{_short(lead.interval.high)})."
        )
    low = result[found.best].low
    if result.chance is not None and low is not None and low <= result.chance:
        text += " That is not above chance."
    return text


def score_table(result: TaskResult) -> pd.DataFrame:
    """Return one line per name, best first: figure, interval and what else was measured."""
    ranked = result.ranked()
    names = [*ranked, *(name for name in result.scores if name not in ranked)]
    scores = [result.scores[name] for name in names]
    frame = pd.DataFrame(
        {
            "embedding": [
                f"{name} (baseline)" if name in result.baselines else name for name in names
            ],
            result.measure: [_or_nan(score.value) for score in scores],
            "95 % from": [_or_nan(score.low) for score in scores],
            "to": [_or_nan(score.high) for score in scores],
        }
    )
    extras = dict.fromkeys(name for score in scores for name in score.extra)
    for extra in extras:
        frame[extra] = [score.extra.get(extra, _MISSING) for score in scores]
    notes = ["; ".join(t for t in (score.note, score.refused) if t) for score in scores]
    if any(notes):
        frame["note"] = notes
    return frame


def left_out_words(result: TaskResult) -> str:
    """Return what was left out and why; empty where nothing was."""
    parts = [f"{n:,} {reason}" for reason, n in result.left_out.items() if n]
    return f"Left out: {'; '.join(parts)}." if parts else ""


def basis_words(result: TaskResult) -> str:
    """Return on what the figures rest: units, settings, chance."""
    parts = [_of_n(result)]
    for name, value in result.settings.items():
        if isinstance(value, float) and not isinstance(value, bool):
            value = f"{value:g}"
        parts.append(f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}")
    if result.chance is not None:
        parts.append(f"chance {_short(result.chance)}: {result.chance_how}")
    return " · ".join(parts)


def _footnotes(result: TaskResult) -> None:
    st.caption(escaped(basis_words(result)))
    if told := left_out_words(result):
        st.caption(escaped(told))


def _of_n(result: TaskResult) -> str:
    unit = result.unit
    return f"{result.n:,} {unit}" if result.n != 1 else f"1 {unit.removesuffix('s')}"


def _or_nan(value: float | None) -> float:
    return _MISSING if value is None else value


def _format(values: pd.Series) -> str:
    known = values.dropna()
    whole = len(known) > 0 and bool((known == known.round()).all()) and bool((known > 1).any())
    return "%d" if whole else "%.3f"


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
