"""The job runner: a queue, a few warm worker processes, and one that answers queries."""

from __future__ import annotations

import dataclasses
import logging
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from core.arrays import FloatMatrix, FloatVector
from core.errors import WorkspaceError
from embedders.trace import Trace
from workspace.catalog import Catalog
from workspace.jobs import CANCELLED, KILLED, NOT_STARTED, Job, State
from workspace.kept_parts import what_a_failure_leaves, what_is_kept
from workspace.locks import FileLock, clean_locks
from workspace.query_client import QueryClient
from workspace.settings import Settings
from workspace.slot import Slot
from workspace.store import Store
from workspace.tasks import Task
from workspace.uploads import Uploads

_LOG = logging.getLogger(__name__)
_GRACE_S = 1.0  # a job that does not hear the cancel by then sits in a C loop
_PERSIST_EVERY_S = 0.5
_GIVE_UP_AFTER = 3


class JobRunner:
    """Runs tasks in child processes; one per server, shared by all workspaces.

    Parameters
    ----------
    settings : Settings

    Raises
    ------
    WorkspaceError
        If the home folder cannot be used.

    Notes
    -----
    All methods may be called from any thread and return at once, except ``embed_query``.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.catalog = Catalog(settings.home / "catalog.sqlite")
        self.store = Store(settings.home)
        self.uploads = Uploads(settings.home)
        self._lock = threading.RLock()
        self._ended = threading.Condition(self._lock)
        self._open: dict[str, Job] = {}
        self._unsaved: dict[str, Job] = {}  # the catalog refused them: tried again with the next
        self._queue: list[str] = []
        self._cancelling: set[str] = set()
        self._persisted: dict[str, float] = {}
        self._served: dict[str, int] = {}
        self._owner = secrets.token_hex(8)
        self._owner_lock = FileLock(settings.home / "servers" / self._owner)
        self._owner_lock.try_acquire()
        self._closed = False
        self._take_over()
        self._start_slots()

    # what pages ask
    def submit(
        self,
        workspace: str,
        task: Task,
        *,
        title: str = "",
        result: Mapping[str, Any] | None = None,
    ) -> Job:
        """Queue a task; return its job.

        Parameters
        ----------
        result : mapping, optional
            Ids that are known before anything ran (which dataset, which run it will be).
        """
        job = Job(
            id="j" + secrets.token_hex(12),
            workspace=workspace,
            task=task.to_json(),
            title=title or type(task).__name__,
            created=time.time(),
            result=dict(result or {}),
        )
        return self._enqueue(job)

    def job(self, id: str) -> Job:
        """Return how a job stands now.

        Raises
        ------
        WorkspaceError
            If there is no such job.
        """
        with self._lock:
            now = self._open.get(id) or self._unsaved.get(id)
            if now is not None:
                return now
        found = self.catalog.jobs(id=id)
        if not found:
            raise WorkspaceError("There is no such job in this workspace. Start it again.")
        return found[0]

    def jobs(self, workspace: str) -> list[Job]:
        """Return the jobs of a workspace, newest first."""
        with self._lock:
            now = {job.id: job for job in self.catalog.jobs(workspace)}
            for job in (*self._unsaved.values(), *self._open.values()):
                if job.workspace == workspace:
                    now[job.id] = job
            return sorted(now.values(), key=lambda job: job.created, reverse=True)

    def cancel(self, id: str) -> Job:
        """Ask a job to stop; whatever it does, its process is free within two seconds."""
        with self._lock:
            job = self.job(id)
            if job.state == "queued" and id in self._open:
                self._queue.remove(id)
                self._finish(id, "cancelled", self._with_kept(id, CANCELLED))
            elif job.state == "running" and id not in self._cancelling:
                self._stop_running(id)
        return self.job(id)

    def wait(self, id: str, timeout_s: float | None = None) -> Job:
        """Wait until a job of this server has ended (or the time is over); return it."""
        with self._ended:
            self._ended.wait_for(lambda: id not in self._open, timeout_s)
        return self.job(id)

    def restart(self, id: str) -> Job:
        """Queue a job that failed, was cancelled or interrupted once more, under the same id."""
        with self._lock:  # two tabs may ask at once
            job = self.job(id)
            if job.active:
                return job
            fresh = Job(
                id=job.id,
                workspace=job.workspace,
                task=job.task,
                title=job.title,
                created=job.created,
                result=job.result,
            )
            return self._enqueue(fresh)

    def embed_query(self, run: str, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a query in the space of a run.

        Raises
        ------
        QueryError, UnknownKey, NotFittedError, WorkspaceError
            As the method says, or when it takes longer than the settings allow.
        """
        return self._queries.embed(run, query)

    def prepare_queries(self, run: str) -> None:
        """Let the query process load a run's model; returns at once."""
        self._queries.prepare(run)

    def embed_queries(self, run: str, queries: Sequence[str]) -> FloatMatrix:
        """Return the ``(n, d) float32`` vectors of several texts; raises as ``embed_query``."""
        return self._queries.embed_several(run, queries)

    def trace(self, run: str, text: str) -> Trace:
        """Return how a text becomes a vector in a run; raises as ``embed_query``."""
        return self._queries.trace(run, text)

    def trace_item(self, run: str, text: str, side: int | None) -> Trace:
        """Return how a text became the vector of an item; raises as ``embed_query``."""
        return self._queries.trace_item(run, text, side)

    def shutdown(self) -> None:
        """End all child processes; jobs that ran are marked interrupted."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
        for slot in (*self._workers, self._queries.slot):
            slot.close()
        for slot in (*self._workers, self._queries.slot):
            slot.join(1.0)
        with self._lock:
            try:
                self.catalog.interrupt(self._owner)
            except WorkspaceError:  # the next server marks them
                _LOG.exception("the jobs that ran could not be marked as interrupted")
            self._open.clear()
            self._ended.notify_all()
        self._owner_lock.release()
        self._owner_lock.path.unlink(missing_ok=True)

    # starting
    def _take_over(self) -> None:
        """Mark what a dead server left unfinished, and throw away its scraps."""
        for owner in self.catalog.open_owners():
            lock = FileLock(self.settings.home / "servers" / owner)
            if lock.try_acquire():
                self.catalog.interrupt(owner)
                lock.release()
                lock.path.unlink(missing_ok=True)
        self.store.entries.clean()
        self.uploads.clean()
        for folder in ("servers", "locks"):
            clean_locks(self.settings.home / folder)

    def _start_slots(self) -> None:
        warm = self.settings.warm_up
        self._workers = [
            Slot(
                "worker",
                f"worker-{i}",
                self.settings,
                warm_up=("language model", "projection", "compiled methods") if warm else (),
                on_message=self._hear,
                on_end=self._worker_ended,
            )
            for i in range(self.settings.workers + self.settings.spare_workers)
        ]
        self._queries = QueryClient(self.settings, on_change=self._dispatch)
        before = None
        for slot in (self._workers[0], self._queries.slot, *self._workers[1:]):
            slot.start(after=before)
            before = slot

    # queue
    def _enqueue(self, job: Job) -> Job:
        with self._lock:
            if self._closed:
                raise WorkspaceError("The server is stopping. Start the job again in a moment.")
            self._open[job.id] = job
            self._queue.append(job.id)
            self._persist(job)
        self._dispatch()
        return self.job(job.id)

    def _dispatch(self) -> None:
        """Give waiting jobs to idle workers, then let one idle worker warm up."""
        with self._lock:
            while self._queue and not self._closed:
                busy = sum(slot.job is not None for slot in self._workers)
                idle = [slot for slot in self._workers if slot.is_idle]
                if not idle or busy >= self.settings.workers:
                    break
                self._give(self._next(), min(idle, key=lambda slot: len(slot.cold)))
            self._warm_one()

    def _next(self) -> str:
        """Return the first job of whoever was served longest ago: nobody blocks the others."""
        chosen = min(self._queue, key=lambda id: self._served.get(self._open[id].workspace, 0))
        self._queue.remove(chosen)
        self._served[self._open[chosen].workspace] = max(self._served.values(), default=0) + 1
        return chosen

    def _give(self, id: str, slot: Slot) -> None:
        slot.job, slot.turn = id, slot.turn + 1
        job = self._change(id, state="running", started=time.time(), stage="starting")
        slot.send(say="run", job=id, workspace=job.workspace, task=job.task)

    def _warm_one(self) -> None:
        slots = [*self._workers, self._queries.slot]
        # Nobody warms up beside a running job: it needs the cores more.
        if self._closed or any(slot.warming or slot.job for slot in slots):
            return
        for slot in (slots[0], slots[-1], *slots[1:-1]):
            if slot.is_idle and slot.cold:
                slot.warming = True
                slot.send(say="warm", step=slot.cold[0])
                return

    # what workers say
    def _hear(self, slot: Slot, message: dict[str, Any]) -> None:
        say, id = message["say"], message.get("job")
        with self._lock:
            if say == "ready":
                slot.ready = True
            elif say == "warm":
                slot.warming = False
                del slot.cold[:1]
            elif id != slot.job or id not in self._open:
                return
            elif say == "progress":
                self._progress(id, message["values"])
                return
            elif say == "publish":
                self._publish(id, message["result"])
                return
            else:
                slot.job = None
                self._end_of(id, say, message)
        self._dispatch()

    def _end_of(self, id: str, say: str, message: dict[str, Any]) -> None:
        if say == "done":
            self._publish(id, message["result"])
            self._finish(id, "done", "")
        elif say == "cancelled":
            self._finish(id, "cancelled", self._with_kept(id, CANCELLED))
        else:
            job = self._open[id]
            has_vectors = self.store.unfinished(str(job.result.get("run"))).is_file()
            left = what_a_failure_leaves(job, has_vectors=has_vectors)
            self._finish(id, "failed", f"{message['message']} {left}".rstrip())

    def _worker_ended(self, slot: Slot) -> None:
        with self._lock:
            id = slot.job
            slot.reset()
            if id in self._open and not self._closed:
                cancelled = id in self._cancelling
                state: State = "cancelled" if cancelled else "failed"
                message = self._with_kept(id, CANCELLED if cancelled else KILLED)
                self._finish(id, state, message)
            if all(each.failed_starts >= _GIVE_UP_AFTER for each in self._workers):
                for waiting in self._queue:
                    self._finish(waiting, "failed", NOT_STARTED)
                self._queue.clear()
        self._dispatch()

    def _with_kept(self, id: str, message: str) -> str:
        return f"{message} {what_is_kept(self._open[id])}"

    def _stop_running(self, id: str) -> None:
        self._cancelling.add(id)
        self._change(id, note="", stage="stopping", eta_s=None)
        for slot in self._workers:
            if slot.job == id:
                slot.send(say="cancel", job=id)
                timer = threading.Timer(_GRACE_S, self._kill_if_busy, (slot, slot.turn))
                timer.daemon = True
                timer.start()

    def _kill_if_busy(self, slot: Slot, turn: int) -> None:
        with self._lock:
            if slot.job is not None and slot.turn == turn:
                slot.kill()

    # snapshots
    def _progress(self, id: str, values: dict[str, Any]) -> None:
        if id in self._cancelling:
            return
        job = self._open[id] = dataclasses.replace(self._open[id], **values)
        if time.monotonic() - self._persisted.get(id, 0.0) > _PERSIST_EVERY_S:
            self._persist(job)

    def _publish(self, id: str, result: Mapping[str, Any]) -> None:
        merged = {**self._open[id].result, **result}
        for one, many in (("layout", "layouts"), ("measured", "qualities")):
            if one in result:
                before = [each for each in merged.get(many, []) if each != result[one]]
                merged[many] = [*before, result[one]]
        merged.pop("measured", None)
        self._change(id, result=merged)

    def _finish(self, id: str, state: State, message: str) -> None:
        now = time.time()
        self._change(id, state=state, message=message, finished=now, eta_s=None)
        if state == "done":
            self._change(id, fraction=1.0)
        del self._open[id]
        self._ended.notify_all()
        self._cancelling.discard(id)
        self._persisted.pop(id, None)

    def _change(self, id: str, **values: Any) -> Job:
        job = self._open[id] = dataclasses.replace(self._open[id], **values)
        self._persist(job)
        return job

    def _persist(self, job: Job) -> None:
        self._persisted[job.id] = time.monotonic()
        self._unsaved[job.id] = job
        try:
            for each in tuple(self._unsaved.values()):
                self.catalog.save_job(each, self._owner)
                del self._unsaved[each.id]
        except WorkspaceError:  # memory holds the truth; a full disk must not stop the queue
            _LOG.exception("%d jobs could not be saved", len(self._unsaved))
