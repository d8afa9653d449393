"""Workbooks (XLSX, XLS, XLSB, ODS) become a RawTable, one sheet at a time."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

from core.errors import ParameterError, UnreadableSource, UnsafeSource
from ingest.header import find_layout, unique_names
from ingest.limits import MB
from ingest.raw_table import RawTable
from ingest.reader import ReadOptions
from ingest.source import Source
from ingest.structured import table_of_strings, too_many_rows
from ingest.wording import count

_COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_HEAD_ROWS = 500


def is_workbook(source: Source) -> bool:
    """Tell from the content whether ``source`` is a workbook."""
    head = source.head(8)
    if head == _COMPOUND:
        return True
    if not head.startswith(b"PK\x03\x04"):
        return False
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            if "mimetype" in names:
                return archive.read("mimetype").startswith(
                    b"application/vnd.oasis.opendocument.spreadsheet"
                )
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
        return False
    return any(name.startswith("xl/workbook") for name in names)


def read_spreadsheet(
    source: Source, options: ReadOptions, *, max_rows: int | None = None
) -> RawTable:
    """Return one sheet as columns of texts, the first with content unless ``options.sheet`` says.

    Raises
    ------
    UnreadableSource
        If the workbook is encrypted, damaged or empty.
    UnsafeSource
        If it would unpack to more than ``limits.max_unpacked_mb``.
    ParameterError
        If there is no such sheet.
    """
    import python_calamine as calamine

    _refuse_bomb(source, options)
    try:
        workbook = calamine.CalamineWorkbook.from_filelike(io.BytesIO(source.read()))
        names = list(workbook.sheet_names)
        sheet, cells, others = _choose_sheet(workbook, names, source, options.sheet)
    except calamine.PasswordError as error:
        raise UnreadableSource(
            f"{source.name} is protected by a password. Save it without one."
        ) from error
    except (calamine.CalamineError, zipfile.BadZipFile, OSError) as error:
        raise UnreadableSource(
            f"{source.name} cannot be read as a workbook; it is damaged, encrypted or of another "
            "kind. Save it as .xlsx or .csv."
        ) from error
    rows = [[_text(cell) for cell in row] for row in cells]
    layout = find_layout(rows[:_HEAD_ROWS], header=options.header)
    body = [row for row in rows[layout.first_row :] if any(row)]
    if not body:
        raise UnreadableSource(f"Sheet {sheet!r} of {source.name} has no row below its header.")
    if len(body) > options.limits.max_rows:
        raise too_many_rows(source, options.limits.max_rows)
    blank = len(rows) - layout.first_row - len(body)
    kept = body if max_rows is None else body[:max_rows]
    unique, name_notes = unique_names(layout.header, layout.width)
    notes = [f"Sheet {sheet!r}" + (f"; other sheets: {', '.join(others)}." if others else ".")]
    return RawTable(
        unique,
        table_of_strings(kept, layout.width),
        format=f"workbook ({source.suffix.lstrip('.').upper() or 'XLSX'}), sheet {sheet}",
        written=layout.header,
        options={
            "sheet": sheet,
            "header": "none" if layout.header_row is None else layout.header_row,
        },
        notes=(
            *notes,
            *layout.notes,
            *name_notes,
            *([f"{count(blank, 'blank row')} skipped."] if blank else []),
        ),
        is_complete=len(kept) == len(body),
    )


def _refuse_bomb(source: Source, options: ReadOptions) -> None:
    if source.head(2) != b"PK":
        return
    limits = options.limits
    try:
        with source.open() as stream, zipfile.ZipFile(stream) as archive:
            total = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        return  # the workbook library says it better
    most = min(limits.max_unpacked_mb * MB, max(source.size, MB) * limits.max_zip_ratio)
    if total > most:
        raise UnsafeSource(
            f"{source.name} unpacks to {total // MB:,} MB, more than is allowed for its size "
            f"({most // MB:,} MB). Save the sheet as .csv."
        )


def _choose_sheet(
    workbook: Any, names: list[str], source: Source, said: str | None
) -> tuple[str, list[list[Any]], list[str]]:
    if said is not None and said not in names:
        raise ParameterError(
            f"sheet={said!r}: {source.name} has no such sheet; it has "
            f"{', '.join(map(repr, names[:20]))}."
        )
    for name in [said] if said is not None else names:
        cells = workbook.get_sheet_by_name(name).to_python(skip_empty_area=True)
        if any(_text(cell) for row in cells for cell in row):
            return name, cells, [other for other in names if other != name]
    raise UnreadableSource(f"{source.name} is a workbook without any filled cell.")


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float):
        # Workbooks know only floating numbers: 7.0 was typed as 7.
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, dt.datetime):
        return (cell.date() if cell.time() == dt.time() else cell).isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
