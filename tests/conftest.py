"""Shared fixtures: where the real data lies, and small datasets with known answers."""

from __future__ import annotations

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(name: str) -> Path:
    """Return a folder of the real-data collection, or skip the test that asks for it."""
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"real data set {name!r} is not on this machine (looked in ../shared/data)")
    return folder
