"""A lock belongs to one holder and is free once that holder is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from core.errors import Cancelled
from workspace.entries import Entries
from workspace.locks import FileLock, clean_locks

_DAYS_AGO = time.time() - 3 * 86_400


def test_lock_has_one_holder_until_it_is_released(tmp_path):
    first, second = FileLock(tmp_path / "a"), FileLock(tmp_path / "a")
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()


def test_lock_of_a_killed_process_is_free(tmp_path):
    code = (
        "import os, signal, sys; from pathlib import Path; from workspace.locks import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); assert lock.try_acquire()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], check=False)
    assert done.returncode == -9
    assert FileLock(tmp_path / "a").try_acquire()


def test_waiting_for_a_lock_can_be_cancelled(tmp_path):
    holder = FileLock(tmp_path / "a")
    holder.try_acquire()

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled), FileLock(tmp_path / "a").held(cancel):
        pass


def test_cleaning_spares_locks_in_use_and_young_ones(tmp_path):
    held = FileLock(tmp_path / "held")
    held.try_acquire()
    for name in ("held", "old", "young"):
        (tmp_path / name).touch()
        if name != "young":
            os.utime(tmp_path / name, (_DAYS_AGO, _DAYS_AGO))
    clean_locks(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["held", "young"]


def test_scraps_of_a_killed_writer_are_deleted_after_a_day(tmp_path):
    for name in ("old", "young"):
        (tmp_path / "tmp" / name).mkdir(parents=True)
        (tmp_path / "tmp" / name / "matrix.npy").write_bytes(b"half")
    os.utime(tmp_path / "tmp" / "old", (_DAYS_AGO, _DAYS_AGO))
    Entries(tmp_path).clean()
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["young"]
