"""One self-contained page that tells what a comparison found: offline, printable."""

from comparison.report.content import (
    AgreementPart,
    ChangedItem,
    MemberLine,
    PairPart,
    ReportContent,
    TablePart,
)
from comparison.report.document import render

__all__ = [
    "AgreementPart",
    "ChangedItem",
    "MemberLine",
    "PairPart",
    "ReportContent",
    "TablePart",
    "render",
]
