"""The catalog: who may see which object, and how every job stands. SQLite in WAL mode."""

from __future__ import annotations

import dataclasses
import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from core.errors import WorkspaceError
from core.modality import Modality
from workspace.entries import plain
from workspace.jobs import INTERRUPTED, Job
from workspace.kept_parts import what_is_kept
from workspace.records import DatasetInfo, LayoutInfo, RunInfo, SidesInfo

_SCHEMA = """
CREATE TABLE IF NOT EXISTS workspaces (id TEXT PRIMARY KEY, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS datasets (
    workspace TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, modality TEXT NOT NULL,
    n INTEGER NOT NULL, n_dropped INTEGER NOT NULL, label TEXT, roles TEXT NOT NULL,
    bytes INTEGER NOT NULL, created REAL NOT NULL, told TEXT NOT NULL,
    PRIMARY KEY (workspace, id));
CREATE TABLE IF NOT EXISTS runs (
    id TEXT PRIMARY KEY, dataset TEXT NOT NULL, embedder TEXT NOT NULL, title TEXT NOT NULL,
    params TEXT NOT NULL, seed INTEGER NOT NULL, kinds TEXT NOT NULL, n INTEGER NOT NULL,
    dim INTEGER NOT NULL, metric TEXT NOT NULL, seconds REAL NOT NULL, bytes INTEGER NOT NULL,
    versions TEXT NOT NULL, created REAL NOT NULL, provenance TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS layouts (
    id TEXT PRIMARY KEY, run TEXT NOT NULL, kind TEXT NOT NULL, method TEXT NOT NULL,
    n_components INTEGER NOT NULL, seed INTEGER NOT NULL, params TEXT NOT NULL,
    n INTEGER NOT NULL, seconds REAL NOT NULL, created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS links (
    workspace TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, created REAL NOT NULL,
    PRIMARY KEY (workspace, kind, id));
CREATE TABLE IF NOT EXISTS jobs (
    id TEXT PRIMARY KEY, workspace TEXT NOT NULL, task TEXT NOT NULL, title TEXT NOT NULL,
    state TEXT NOT NULL, stage TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL,
    note TEXT NOT NULL, fraction REAL NOT NULL, created REAL NOT NULL, started REAL,
    finished REAL, eta_s REAL, message TEXT NOT NULL, result TEXT NOT NULL, owner TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dismissed (job TEXT PRIMARY KEY, workspace TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS runs_of ON runs (dataset);
CREATE INDEX IF NOT EXISTS layouts_of ON layouts (run);
CREATE INDEX IF NOT EXISTS jobs_of ON jobs (workspace, created);
"""
GONE = "This dataset is no longer in the workspace. Load it again, then start the job."
_JSON = {"roles", "params", "kinds", "versions", "provenance", "result", "told"}
_JOB_FIELDS = tuple(f.name for f in dataclasses.fields(Job) if f.name != "training")


class Catalog:
    """Names, settings, links and jobs; safe for many threads and processes.

    Every question about a dataset, run, layout or job names the workspace that asks, and
    only what that workspace was linked to is found.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=30, check_same_thread=False)
            self._db.row_factory = sqlite3.Row
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise WorkspaceError(
                "The folder named by EMBEDSCOPE_HOME cannot be used. "
                "It must be a folder that may be written; set EMBEDSCOPE_HOME to such a one."
            ) from error

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._db.close()

    # workspaces
    def add_workspace(self, id: str) -> None:
        """Make a workspace."""
        self._insert("workspaces", {"id": id, "created": time.time()})

    def has_workspace(self, id: str) -> bool:
        """Tell whether a workspace exists."""
        return bool(self._rows("SELECT 1 FROM workspaces WHERE id = ?", id))

    # datasets
    def link_dataset(
        self, workspace: str, info: DatasetInfo, told: Mapping[str, Any]
    ) -> DatasetInfo:
        """Give a workspace a dataset under a name.

        ``told`` are notes, dropped rows, and the two sides where there are.
        """
        values = {**_values(info), "told": told}
        values.pop("sides")  # told
        self._insert("datasets", {"workspace": workspace, **values}, replace=True)
        return info

    def datasets(self, workspace: str, id: str | None = None) -> list[DatasetInfo]:
        """Return the datasets of a workspace, oldest first (or the one with ``id``)."""
        rows = self._rows(
            "SELECT * FROM datasets WHERE workspace = ? AND id = coalesce(?, id) ORDER BY created",
            workspace,
            id,
        )
        return [_dataset(row) for row in rows]

    def told(self, workspace: str, id: str) -> dict[str, Any] | None:
        """Return name, notes and dropped rows of a dataset, or None if it is not linked."""
        rows = self._rows(
            "SELECT name, n_dropped, told FROM datasets WHERE workspace = ? AND id = ?",
            workspace,
            id,
        )
        if not rows:
            return None
        told: dict[str, Any] = rows[0].pop("told")
        return {**rows[0], **told}

    def rename_dataset(self, workspace: str, id: str, name: str) -> None:
        """Give a dataset another name in this workspace."""
        self._change(
            "UPDATE datasets SET name = ? WHERE workspace = ? AND id = ?", name, workspace, id
        )

    def unlink_dataset(self, workspace: str, id: str) -> bool:
        """Take a dataset and its runs from a workspace; tell whether nobody has it any more."""
        with self._transaction():
            runs = "SELECT id FROM runs WHERE dataset = ?"
            self._db.execute(
                "DELETE FROM links WHERE workspace = ? AND kind = 'layout' AND id IN "
                f"(SELECT id FROM layouts WHERE run IN ({runs}))",
                (workspace, id),
            )
            self._db.execute(
                f"DELETE FROM links WHERE workspace = ? AND kind = 'run' AND id IN ({runs})",
                (workspace, id),
            )
            self._db.execute("DELETE FROM datasets WHERE workspace = ? AND id = ?", (workspace, id))
            left = self._db.execute("SELECT 1 FROM datasets WHERE id = ? LIMIT 1", (id,))
            return left.fetchone() is None

    def forget_dataset(self, id: str) -> list[tuple[RunInfo, list[str]]]:
        """Delete runs and layouts of a dataset for good; return them, for the store."""
        made = []
        with self._transaction():
            for row in self._rows("SELECT * FROM runs WHERE dataset = ?", id):
                layouts = self._rows("SELECT id FROM layouts WHERE run = ?", row["id"])
                made.append((RunInfo(**row), [layout["id"] for layout in layouts]))
                self._db.execute("DELETE FROM layouts WHERE run = ?", (row["id"],))
            self._db.execute("DELETE FROM runs WHERE dataset = ?", (id,))
        return made

    # runs and layouts
    def link_run(self, workspace: str, info: RunInfo) -> None:
        """Make a run known and give it to a workspace.

        Raises
        ------
        WorkspaceError
            If its dataset is not, or no longer, in that workspace.
        """
        with self._transaction():
            if self.told(workspace, info.dataset) is None:
                raise WorkspaceError(GONE)
            self._insert("runs", _values(info), replace=True)
            self._link(workspace, "run", info.id)

    def link_layout(self, workspace: str, info: LayoutInfo) -> None:
        """Make a layout known and give it to a workspace.

        Raises
        ------
        WorkspaceError
            If its run is not, or no longer, in that workspace.
        """
        with self._transaction():
            if not self.runs(workspace, id=info.run):
                raise WorkspaceError(GONE)
            self._insert("layouts", _values(info), replace=True)
            self._link(workspace, "layout", info.id)

    def known_run(self, id: str) -> RunInfo | None:
        """Return a run whoever has it; for workers, never for pages."""
        rows = self._rows("SELECT * FROM runs WHERE id = ?", id)
        return RunInfo(**rows[0]) if rows else None

    def runs_of_method(self, embedder: str) -> list[str]:
        """Return the ids of all runs of a method, newest first; for workers, never for pages."""
        rows = self._rows("SELECT id FROM runs WHERE embedder = ? ORDER BY created DESC", embedder)
        return [row["id"] for row in rows]

    def known_layout(self, id: str) -> LayoutInfo | None:
        """Return a layout whoever has it; for workers, never for pages."""
        rows = self._rows("SELECT * FROM layouts WHERE id = ?", id)
        return LayoutInfo(**rows[0]) if rows else None

    def runs(
        self, workspace: str, dataset: str | None = None, id: str | None = None
    ) -> list[RunInfo]:
        """Return the runs of a workspace, oldest first."""
        rows = self._rows(
            "SELECT runs.* FROM runs JOIN links ON links.id = runs.id AND links.kind = 'run' "
            "WHERE links.workspace = ? AND runs.dataset = coalesce(?, runs.dataset) "
            "AND runs.id = coalesce(?, runs.id) ORDER BY links.created",
            workspace,
            dataset,
            id,
        )
        return [RunInfo(**row) for row in rows]

    def layouts(
        self, workspace: str, run: str | None = None, id: str | None = None
    ) -> list[LayoutInfo]:
        """Return the layouts of a workspace, oldest first."""
        rows = self._rows(
            "SELECT layouts.* FROM layouts "
            "JOIN links ON links.id = layouts.id AND links.kind = 'layout' "
            "WHERE links.workspace = ? AND layouts.run = coalesce(?, layouts.run) "
            "AND layouts.id = coalesce(?, layouts.id) ORDER BY links.created",
            workspace,
            run,
            id,
        )
        return [LayoutInfo(**row) for row in rows]

    # comparisons
    def link_comparison(self, workspace: str, id: str, dataset: str) -> None:
        """Give a comparison to a workspace.

        Raises
        ------
        WorkspaceError
            If its dataset is not, or no longer, in that workspace.
        """
        with self._transaction():
            if self.told(workspace, dataset) is None:
                raise WorkspaceError(GONE)
            self._link(workspace, "comparison", id)

    def unlink_comparison(self, workspace: str, id: str) -> bool:
        """Take a comparison from a workspace; tell whether nobody has it any more."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM links WHERE workspace = ? AND kind = 'comparison' AND id = ?",
                (workspace, id),
            )
            left = self._db.execute("SELECT 1 FROM links WHERE id = ? LIMIT 1", (id,))
            return left.fetchone() is None

    def comparisons(self, workspace: str) -> list[str]:
        """Return the ids of the comparisons of a workspace, oldest first."""
        rows = self._rows(
            "SELECT id FROM links WHERE workspace = ? AND kind = 'comparison' ORDER BY created",
            workspace,
        )
        return [row["id"] for row in rows]

    # jobs
    def save_job(self, job: Job, owner: str) -> None:
        """Keep a snapshot; ``owner`` is the server that runs it."""
        values = {name: getattr(job, name) for name in _JOB_FIELDS}
        self._insert("jobs", {**values, "owner": owner}, replace=True)

    def jobs(self, workspace: str | None = None, id: str | None = None) -> list[Job]:
        """Return the last 200 jobs, newest first."""
        rows = self._rows(
            f"SELECT {', '.join(_JOB_FIELDS)} FROM jobs "
            "WHERE workspace = coalesce(?, workspace) "
            "AND id = coalesce(?, id) ORDER BY created DESC, rowid DESC LIMIT 200",
            workspace,
            id,
        )
        return [Job(**row) for row in rows]

    def open_owners(self) -> set[str]:
        """Return the servers that have jobs waiting or running."""
        rows = self._rows("SELECT DISTINCT owner FROM jobs WHERE state IN ('queued', 'running')")
        return {row["owner"] for row in rows}

    def interrupt(self, owner: str) -> None:
        """Mark the open jobs of a server that is gone, and say what is kept of each."""
        rows = self._rows(
            f"SELECT {', '.join(_JOB_FIELDS)} FROM jobs "
            "WHERE owner = ? AND state IN ('queued', 'running')",
            owner,
        )
        for job in (Job(**row) for row in rows):
            self._change(
                "UPDATE jobs SET state = 'interrupted', message = ?, finished = ?, eta_s = NULL "
                "WHERE id = ?",
                f"{INTERRUPTED} {what_is_kept(job)}",
                time.time(),
                job.id,
            )

    def dismiss_job(self, workspace: str, id: str) -> None:
        """Remember that the user has seen how a job ended."""
        self._insert("dismissed", {"job": id, "workspace": workspace}, replace=True)

    def recall_job(self, id: str) -> None:
        """Forget that a job was dismissed, as it runs again."""
        self._change("DELETE FROM dismissed WHERE job = ?", id)

    def dismissed_jobs(self, workspace: str) -> set[str]:
        """Return the jobs whose end the user has seen."""
        rows = self._rows("SELECT job FROM dismissed WHERE workspace = ?", workspace)
        return {row["job"] for row in rows}

    # plumbing
    def _link(self, workspace: str, kind: str, id: str) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO links VALUES (?, ?, ?, ?)", (workspace, kind, id, time.time())
        )

    def _insert(self, table: str, values: Mapping[str, Any], *, replace: bool = False) -> None:
        cells = [
            json.dumps(value, default=plain) if name in _JSON else value
            for name, value in values.items()
        ]
        marks = ", ".join("?" * len(cells))
        how = "INSERT OR REPLACE" if replace else "INSERT"
        self._change(f"{how} INTO {table} ({', '.join(values)}) VALUES ({marks})", *cells)

    def _rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute(query, values).fetchall()
        return [
            {key: json.loads(row[key]) if key in _JSON else row[key] for key in row.keys()}  # noqa: SIM118
            for row in rows
        ]

    def _change(self, query: str, *values: object) -> None:
        with self._transaction():
            self._db.execute(query, values)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Run statements as one; nested calls join the outer one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            try:
                with self._db:
                    self._db.execute("BEGIN IMMEDIATE")
                    yield
            except sqlite3.DatabaseError as error:
                raise WorkspaceError(
                    f"The catalog could not be written ({error}). "
                    "Free some disk space and try again; finished work is kept."
                ) from error


def _values(record: Any) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}


def _dataset(row: dict[str, Any]) -> DatasetInfo:
    names: Sequence[str] = [field.name for field in dataclasses.fields(DatasetInfo)]
    values = {name: row[name] for name in names if name in row}
    sides = row["told"].get("sides")
    values["sides"] = SidesInfo.from_dict(sides) if sides else None
    return DatasetInfo(**{**values, "modality": Modality(row["modality"])})
