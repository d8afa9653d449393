"""How many hostile CSV files load as they should, and how fast a large one loads.

Usage: ``python benchmarks/csv_corpora.py [pollock] [spectrum] [messy] [million]`` (default: all).

The Pollock-like score follows the benchmark of Vitagliano et al., "Pollock: A Data Loading
Benchmark", PVLDB 16 (2023): per file ten numbers in [0, 1], averaged over the files and added up,
so that 10 is perfect:

    success                       the file loads
    header  precision, recall, F1 names found among the names expected, as multisets
    records precision, recall, F1 whole rows (cells joined, an empty cell written "null")
    cells   precision, recall, F1 single cells

Cells are compared without the blanks around them. What is expected: for the files of the survey
the clean version; for the polluted files the rows of the unpolluted source (and the header that
the parameters give), except where the pollution itself changes a data row, which is then parsed
with the true parameters. Our reader gets the bytes and nothing else; CleverCSV, measured beside
it in the same run, gets the decoded text and detects the dialect (its first row is the header).
"""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from core.errors import EmbedscopeError  # noqa: E402
from ingest.delimited import read_delimited  # noqa: E402
from ingest.reader import ReadOptions  # noqa: E402
from ingest.source import Source, as_source  # noqa: E402

DATA = ROOT.parent / "shared" / "data"
Grid = tuple[list[str], list[list[str]]]


def ours(name: str, data: bytes) -> Grid:
    """Return header and rows as this project reads them."""
    table = read_delimited(Source(name, data=data), ReadOptions())
    rows = zip(*(column.to_pylist() for column in table.columns), strict=True)
    return list(table.written or ()), [list(row) for row in rows]


def clevercsv(_name: str, data: bytes) -> Grid:
    """Return the rows under the dialect that CleverCSV detects."""
    import clevercsv as library

    text = data.decode(_codec(data))
    dialect = library.Detector().detect(text[:20_000], verbose=False)
    rows = list(library.reader(io.StringIO(text, newline=""), dialect))
    return rows[0], rows[1:]


def plain_csv(_name: str, data: bytes) -> Grid:
    """Return the rows under Python's default dialect."""
    rows = list(csv.reader(io.StringIO(data.decode(_codec(data)), newline="")))
    return rows[0], rows[1:]


def _codec(data: bytes) -> str:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252" if b"\x81" not in data else "latin-1"
    return "utf-8"


def pollock_files() -> list[tuple[str, bytes, Grid]]:
    """Return name, bytes and expected grid of each file."""
    found = []
    with zipfile.ZipFile(DATA / "pollock_csv" / "pollock.zip") as archive:
        names = archive.namelist()
        source = _parse(archive.read("polluted_files/csv/source.csv"), {})[1:]
        for name in sorted(n for n in names if "/csv/" in n and not n.endswith("/")):
            group, _, file = name.split("/", 2)
            data = archive.read(name)
            said = json.loads(archive.read(f"{group}/parameters/{file}_parameters.json"))
            if group == "survey_sample":
                clean = _parse(archive.read(f"survey_sample/clean/{file}"), {})
                expected = clean[0], clean[1:]
                if said["header_lines"] == "0":
                    expected = [], clean[1:]
            else:
                expected = _polluted(file, data, said, source)
            found.append((file, data, expected))
    return found


def _polluted(file: str, data: bytes, said: dict, source: list[list[str]]) -> Grid:
    header = said["column_names"] if int(said["header_lines"]) else []
    if "_sep_row" in file:
        rows = _parse(data, said)
        return header, rows[int(said["header_lines"]) :]
    return header, source


def _parse(data: bytes, said: dict) -> list[list[str]]:
    escape = said.get("escapechar") or None
    text = io.StringIO(data.decode(_codec(data)).removeprefix("\ufeff"), newline="")
    return list(csv.reader(text, escapechar=None if escape == '"' else escape))


def score(loaded: Grid | None, expected: Grid) -> list[float]:
    """Return the ten numbers of one file."""
    if loaded is None:
        return [0.0] * 10
    header = _f1(map(_cell, loaded[0]), map(_cell, expected[0])) if expected[0] else [1.0] * 3
    records = _f1(map(_record, loaded[1]), map(_record, expected[1]))
    cells = _f1(
        (_cell(c) for row in loaded[1] for c in row), (_cell(c) for row in expected[1] for c in row)
    )
    return [1.0, *header, *records, *cells]


def _f1(loaded, expected) -> list[float]:
    got, want = Counter(loaded), Counter(expected)
    both = sum((got & want).values())
    if not both:
        return [0.0] * 3
    precision, recall = both / sum(got.values()), both / sum(want.values())
    return [precision, recall, 2 * precision * recall / (precision + recall)]


def _cell(cell: str) -> str:
    return " ".join(cell.split())


def _record(row: list[str]) -> str:
    return "\x1f".join(_cell(c) or "null" for c in row)


def pollock(verbose: bool = True) -> dict[str, float]:
    """Print and return the score of each reader."""
    files = pollock_files()
    totals = {}
    for reader in (ours, clevercsv, plain_csv):
        sums, perfect, seconds = [0.0] * 10, 0, time.perf_counter()
        for file, data, expected in files:
            try:
                loaded = reader(file, data)
            except (EmbedscopeError, csv.Error, AttributeError, IndexError, UnicodeError):
                loaded = None
            numbers = score(loaded, expected)
            sums = [a + b for a, b in zip(sums, numbers, strict=True)]
            perfect += sum(numbers) > 9.9999
            if reader is ours and verbose and sum(numbers) < 9.9999:
                print(f"    {sum(numbers):6.3f}  {file}  " + " ".join(f"{v:.2f}" for v in numbers))
        totals[reader.__name__] = sum(sums) / len(files)
        print(
            f"pollock  {reader.__name__:10s} {sum(sums) / len(files):6.3f} of 10, "
            f"{perfect} of {len(files)} files perfect, {time.perf_counter() - seconds:.1f} s"
        )
    print(f"pollock  ours / clevercsv = {totals['ours'] / totals['clevercsv']:.3f}")
    return totals


def spectrum() -> int:
    """Print and return how many cases of csv-spectrum equal their JSON."""
    folder, equal = DATA / "csv_spectrum", 0
    files = sorted(folder.glob("*.csv"))
    for file in files:
        data = file.read_bytes()
        if "crlf" in file.stem and b"\r" not in data:  # line ends were unified on the way here
            data = data.replace(b"\n", b"\r\n")
        header, rows = ours(file.name, data)
        got = [dict(zip(header, row, strict=True)) for row in rows]
        equal += got == json.loads(file.with_suffix(".json").read_text("utf-8"))
    print(f"spectrum {equal} of {len(files)} equal their JSON")
    return equal


def messy() -> None:
    """Print what becomes of each file of the messytables collection."""
    from ingest import read_dataset

    folder = DATA / "messytables_horror"
    for file in sorted(p for p in folder.iterdir() if p.suffix != ".md"):
        start = time.perf_counter()
        try:
            dataset = read_dataset(file)
        except EmbedscopeError as error:
            outcome = f"refused: {error}"
        else:
            roles = Counter(dataset.roles.values())
            outcome = f"{dataset.modality}, {len(dataset):,} items, {dict(roles)}"
        print(f"messy    {time.perf_counter() - start:5.2f} s  {file.name:32s} {outcome}")


def million(rows: int = 1_000_000) -> None:
    """Print seconds and peak memory of one large CSV, read in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["id", "when", "group", "amount", "count", "note"])
            for i in range(rows):
                writer.writerow(
                    [f"{i:07d}", f"2024-{i % 12 + 1:02d}-{i % 28 + 1:02d}", "abcdefgh"[i % 8],
                     f"{i * 0.37 % 1000:.2f}", i % 97, f'order {i % 5000}, "fast"']
                )  # fmt: skip
        size = path.stat().st_size / 1e6
        run = subprocess.run(
            [sys.executable, __file__, "_million", str(path)], check=True, capture_output=True
        )
        seconds, cpu, before, peak, n = json.loads(run.stdout)
        print(
            f"million  {n:,} rows, {size:.0f} MB: {seconds:.1f} s ({cpu:.1f} s CPU), "
            f"peak {peak:.0f} MB ({before:.0f} MB of it imports), "
            f"{(peak - before) / size:.1f} x the file"
        )


def _million(path: str) -> None:
    import ingest.read  # noqa: F401
    from ingest import read_dataset

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start, cpu = time.perf_counter(), time.process_time()
    dataset = read_dataset(as_source(path))
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([seconds, cpu, before, peak, len(dataset)]))


if __name__ == "__main__":
    if sys.argv[1:2] == ["_million"]:
        _million(sys.argv[2])
    else:
        wanted = sys.argv[1:] or ["spectrum", "pollock", "messy", "million"]
        for step in (spectrum, pollock, messy, million):
            if step.__name__ in wanted:
                step()
