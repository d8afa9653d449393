"""What a compression says: the sentences to take away, the table, and the file."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from comparison.compression import RESCORED, CompressedSpace, CompressionResult
from vectors.bootstrap import Interval

FAMILIES = {
    "full": "as they are",
    "fp16": "fp16",
    "int8": "int8",
    "binary": "binary",
    "rescored": "binary, rescored",
    "pca": "PCA",
    "prefix": "first dimensions",
    "random": "random directions",
    "pca_int8": "PCA, int8",
    "product": "product code",
}
_ENOUGH = 0.95
_FRACTIONS = {2: "half", 3: "a third", 4: "a quarter", 8: "an eighth"}
_REDUCED = ("pca", "prefix", "random", "pca_int8")


def takeaways(result: CompressionResult, column: str | None = None) -> list[str]:
    """Return what a reader should keep of the figures, each sentence within its intervals."""
    full = next((row for row in result.rows if row.code.family == "full"), None)
    if full is None:
        return []
    found = [_neighbours(result, full), _signs(result, full)]
    if full.task is not None and column is not None:
        found.append(_labels(result, full, column))
    return [sentence for sentence in found if sentence]


def percent(share: float) -> str:
    """Return a share as people say it; never 100 % or 0 % of what is not all or nothing."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f} %"
    if not 0.005 <= share < 0.985:
        near = min(max(round(100 * share, 1), 0.1), 99.9)
        return f"{near:.1f} %"
    return f"{100 * share:.0f} %"


def part_of(n_bytes: float, full_bytes: float) -> str:
    """Return "a quarter", "1/32", "about 1/31" or "67 %": a size beside the full one."""
    ratio = full_bytes / n_bytes
    whole = round(ratio)
    if abs(ratio - whole) < 1e-9 and whole > 1:
        return _FRACTIONS.get(whole, f"1/{whole}")
    return f"about 1/{whole}" if ratio >= 5 else f"{100 / ratio:.0f} %"


def _interval(found: Interval) -> str:
    low, high = percent(found.low).removesuffix(" %"), percent(found.high)
    return f"95 % interval {low} to {high}"


def holds_for_others(row: CompressedSpace) -> bool:
    """Tell whether the figures hold for other items: too few to train on are remembered."""
    return not (row.code.family == "product" and row.note)


def _neighbours(result: CompressionResult, full: CompressedSpace) -> str:
    smaller = [row for row in result.rows if row.bytes_per_million < full.bytes_per_million]
    judged = [row for row in smaller if holds_for_others(row)]
    if not judged:
        return ""
    enough = [row for row in judged if row.recall.low >= _ENOUGH]
    if not enough:
        best = max(judged, key=lambda row: row.recall.mean)
        return (
            f"No smaller code surely keeps {percent(_ENOUGH)} of the {result.k} true neighbours. "
            f"{best.label} keeps most: {percent(best.recall.mean)} ({_interval(best.recall)}) at "
            f"{part_of(best.bytes_per_million, full.bytes_per_million)} of the bytes."
        )
    one = min(enough, key=lambda row: (row.bytes_per_million, -row.recall.mean))
    sentence = (
        f"At {part_of(one.bytes_per_million, full.bytes_per_million)} of the bytes ({one.label}) "
        f"{percent(one.recall.mean)} of the {result.k} true neighbours stay "
        f"({_interval(one.recall)})"
    )
    rivals = [row for row in smaller if row.bytes_per_million < one.bytes_per_million]
    if any(row.recall.low >= _ENOUGH for row in rivals):
        return f"{sentence}."
    return f"{sentence}; no smaller code surely keeps {percent(_ENOUGH)}."


def _signs(result: CompressionResult, full: CompressedSpace) -> str:
    by_family = {row.code.family: row for row in result.rows}
    if "binary" not in by_family:
        return ""
    binary = by_family["binary"]
    sentence = (
        f"One bit per dimension (binary, {part_of(binary.vector_bytes, full.vector_bytes)} of the "
        f"bytes) keeps {percent(binary.recall.mean)}"
    )
    if "rescored" not in by_family:
        return f"{sentence}."
    candidates = min(RESCORED * result.k, result.n - 1)
    return (
        f"{sentence}, {percent(by_family['rescored'].recall.mean)} when the nearest {candidates:,} "
        "are looked up again in the full vectors, which must then lie beside."
    )


def _labels(result: CompressionResult, full: CompressedSpace, column: str) -> str:
    score = full.task
    assert score is not None  # noqa: S101 -- asked for only where there is one
    chance = result.chance_task
    begin = (
        f"With full vectors the {result.k} nearest name the right {column} for "
        f"{percent(score.mean)} of the items ({_interval(score)})"
    )
    if chance is not None and score.low <= chance:
        return (
            f"{begin}, not surely more than always naming the largest class "
            f"({percent(chance)}): this cannot tell what a code loses."
        )
    within = [
        row
        for row in result.rows
        if row.bytes_per_million < full.bytes_per_million
        and row.task is not None
        and row.task.mean >= score.low
    ]
    if not within:
        return f"{begin}; every smaller code lies below that interval."
    sure = [row for row in within if holds_for_others(row)]
    if not sure:
        return f"{begin}."
    one = min(sure, key=lambda row: (row.bytes_per_million, -row.recall.mean))
    assert one.task is not None  # noqa: S101 -- as above
    least = min(row.bytes_per_million for row in within)
    aside = "" if least == one.bytes_per_million else "product codes aside, "
    part = part_of(one.bytes_per_million, full.bytes_per_million)
    return (
        f"{begin}; {aside}the smallest code not below that interval is {one.label} with "
        f"{percent(one.task.mean)}, at {part} of the bytes."
    )


def measured_on(result: CompressionResult) -> str:
    """Return how the figures were measured: items, queries, neighbours, metric, chance, seed."""
    asked = (
        f"Each of {result.n:,} items looked up among the others"
        if result.n_queries == result.n
        else f"{result.n_queries:,} of {result.n:,} items looked up among all others"
    )
    words = [
        asked,
        f"k {result.k}",
        f"{result.metric}",
        f"{result.dim:,} dimensions",
        f"recall by chance {result.chance_recall:.2g}",
        f"seed {result.seed}",
    ]
    if result.chance_task is not None:
        words.append(
            f"labels of {result.n_task:,} items, largest class {percent(result.chance_task)}"
        )
    return " · ".join(words)


def table(result: CompressionResult, column: str | None = None) -> pd.DataFrame:
    """Return one row per code, as it is read on the page."""
    frame = _frame(result)
    shown = frame[
        ["code", "dimensions", "bytes per vector", "bytes beside", "MB per million", "kB once"]
    ].copy()
    shown[f"recall@{result.k}"] = frame["recall"]
    shown["recall, 95 %"] = [_bounds(row.recall) for row in result.rows]
    if any(row.task is not None for row in result.rows):
        shown[f"{column or 'label'} accuracy"] = frame["label accuracy"]
        shown["accuracy, 95 %"] = [_bounds(row.task) for row in result.rows]
    shown["frontier"] = frame["frontier"]
    return shown


def notes(result: CompressionResult) -> list[str]:
    """Return what has to be known of some codes, and why others were not measured."""
    by_note: dict[str, list[str]] = {}
    for row in result.rows:
        if row.note:
            by_note.setdefault(row.note, []).append(row.label)
    for label, reason in result.refused.items():
        by_note.setdefault(f"not measured. {reason}", []).append(label)
    return [f"{'; '.join(labels)}: {note}" for note, labels in by_note.items()]


def flattered(result: CompressionResult) -> str:
    """Return a warning where codes look better than they are; empty where none does."""
    if all(holds_for_others(row) for row in result.rows):
        return ""
    return (
        f"Product codes look better here than they are: {result.n:,} items are few to train them, "
        "and they remember these. No sentence above builds on them."
    )


def file_table(results: Mapping[str, CompressionResult], column: str | None = None) -> pd.DataFrame:
    """Return all figures of some embeddings, with what they were measured on in every row.

    Codes that were refused are rows without figures; their note is the reason.
    """
    parts = []
    for name, result in results.items():
        refused = pd.DataFrame({"code": list(result.refused), "note": [*result.refused.values()]})
        frame = pd.concat([_frame(result), refused], ignore_index=True) if len(refused) else None
        frame = _frame(result) if frame is None else frame
        frame.insert(0, "embedding", name)
        told = {"labels": column or "", "metric": result.metric, "items": result.n}
        told |= {"queries": result.n_queries, "k": result.k, "seed": result.seed}
        parts.append(frame.assign(**told))
    return pd.concat(parts, ignore_index=True)


def _frame(result: CompressionResult) -> pd.DataFrame:
    rows = result.rows
    missing = Interval(float("nan"), float("nan"), float("nan"))
    task = [row.task or missing for row in rows]
    return pd.DataFrame(
        {
            "code": [row.label for row in rows],
            "dimensions": [dimensions(row, result.dim) for row in rows],
            "bytes per vector": [row.vector_bytes for row in rows],
            "bytes beside": [row.beside_bytes for row in rows],
            "MB per million": [row.bytes_per_million / 1e6 for row in rows],
            "kB once": [row.codebook_bytes / 1e3 for row in rows],
            "recall": [row.recall.mean for row in rows],
            "recall low": [row.recall.low for row in rows],
            "recall high": [row.recall.high for row in rows],
            "label accuracy": [score.mean for score in task],
            "accuracy low": [score.low for score in task],
            "accuracy high": [score.high for score in task],
            "frontier": [row.on_frontier for row in rows],
            "note": [row.note for row in rows],
        }
    )


def dimensions(row: CompressedSpace, full: int) -> int:
    """Return how many dimensions a code keeps, however finely."""
    return row.code.size if row.code.family in _REDUCED else full


def _bounds(found: Interval | None) -> str:
    return "" if found is None else f"{found.low:.3f} to {found.high:.3f}"
