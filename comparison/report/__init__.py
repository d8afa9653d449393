"""One self-contained page that tells what a comparison found: offline, printable."""

from comparison.report.content import ChangedItem, MemberLine, PairPart, ReportContent
from comparison.report.document import render

__all__ = ["ChangedItem", "MemberLine", "PairPart", "ReportContent", "render"]
