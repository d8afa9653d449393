"""Jobs run, report, stop and fail as a user would expect, whatever happens to the process."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from job_waiting import ended, wait_for
from toy_tasks import ToyTask

from core.errors import QueryError, WorkspaceError


def test_job_reports_progress_and_ends_done(start):
    runner = start()
    job = runner.submit("w", ToyTask("count", seconds=0.6), title="Counting")
    assert job.title == "Counting"
    seen = wait_for(lambda: (j := runner.job(job.id)).stage == "counting" and j.done > 2 and j)
    assert 0 < seen.fraction < 1
    assert seen.note.startswith("at ")
    done = ended(runner, job)
    assert (done.state, done.fraction, done.result["counted"]) == ("done", 1.0, 12)
    assert runner.jobs("w")[0].state == "done"
    assert runner.jobs("other") == []


def test_worker_is_niced_limited_in_threads_and_may_print(start):
    runner = start(nice=7)
    done = ended(runner, runner.submit("w", ToyTask("print")))
    assert done.result["threads"] == "1"
    assert done.result["nice"] >= 7


def test_one_worker_serves_many_jobs_in_one_process(start):
    runner = start()
    pids = {ended(runner, runner.submit("w", ToyTask("print"))).result["pid"] for _ in range(3)}
    assert len(pids) == 1


def test_cancelled_job_stops_at_its_next_report_and_process_lives_on(start):
    runner = start()
    before = ended(runner, runner.submit("w", ToyTask("print"))).result["pid"]
    job = runner.submit("w", ToyTask("count", seconds=20))
    wait_for(lambda: runner.job(job.id).done)
    runner.cancel(job.id)
    assert ended(runner, job, 1.0).state == "cancelled"
    assert ended(runner, runner.submit("w", ToyTask("print"))).result["pid"] == before


def test_cancel_inside_a_c_loop_frees_the_process_within_two_seconds(start):
    runner = start(spare_workers=1)
    job = runner.submit("w", ToyTask("deaf"))
    wait_for(lambda: runner.job(job.id).result.get("half"))
    busy = next(slot for slot in runner._workers if slot.job == job.id)
    pid = busy.process.pid
    wait_for(lambda: sum(slot.ready for slot in runner._workers) == 2)
    begun = time.monotonic()
    runner.cancel(job.id)
    assert ended(runner, job, 2.0).state == "cancelled"
    wait_for(lambda: not _alive(pid), 2.0 - (time.monotonic() - begun))
    follower = runner.submit("w", ToyTask("print"))
    assert ended(runner, follower, 1.0).state == "done"


def test_queued_job_can_be_cancelled_before_it_starts(start):
    runner = start()
    first = runner.submit("w", ToyTask("count", seconds=5))
    second = runner.submit("w", ToyTask("count", seconds=5))
    assert runner.cancel(second.id).state == "cancelled"
    runner.cancel(first.id)
    assert ended(runner, first).state == "cancelled"


def test_killed_worker_fails_its_job_with_a_sentence_and_is_replaced(start):
    runner = start()
    job = ended(runner, runner.submit("w", ToyTask("die")))
    assert job.state == "failed"
    assert "memory" in job.message
    assert ended(runner, runner.submit("w", ToyTask("count"))).state == "done"


def test_worker_killed_from_outside_fails_its_job(start):
    runner = start()
    job = runner.submit("w", ToyTask("count", seconds=20))
    wait_for(lambda: runner.job(job.id).done)
    os.kill(runner._workers[0].process.pid, signal.SIGKILL)
    assert ended(runner, job, 3.0).state == "failed"


def test_failures_are_told_in_words_and_details_go_to_the_log(start, home):
    runner = start()
    refused = ended(runner, runner.submit("w", ToyTask("refuse")))
    assert refused.message == "The toy is broken. Choose another toy."
    memory = ended(runner, runner.submit("w", ToyTask("memory")))
    assert "not enough memory" in memory.message
    crashed = ended(runner, runner.submit("w", ToyTask("crash")))
    assert "secret" not in crashed.message
    assert "ZeroDivisionError" not in crashed.message
    log = (home / "logs" / "worker-0.log").read_text()
    assert "secret inner detail" in log
    assert crashed.message.split("reference ")[1].split()[0] in log


def test_failed_job_can_be_started_again_under_its_id(start):
    runner = start()
    job = ended(runner, runner.submit("w", ToyTask("die")))
    again = runner.restart(job.id)
    assert again.id == job.id
    assert again.active
    assert again.message == ""
    assert ended(runner, again).state == "failed"


def test_cancelled_job_can_be_started_again_and_runs_to_its_end(start):
    runner = start()
    job = runner.submit("w", ToyTask("count", seconds=1.6))
    wait_for(lambda: runner.job(job.id).done)
    runner.cancel(job.id)
    assert ended(runner, job).state == "cancelled"
    pid = runner._workers[0].process.pid
    runner.restart(job.id)  # still runs when the cancel's time of grace is over
    assert ended(runner, job).state == "done"
    assert runner._workers[0].process.pid == pid


def test_two_tabs_that_start_a_job_again_at_once_start_it_once(start, monkeypatch):
    runner = start()
    job = ended(runner, runner.submit("w", ToyTask("refuse")))
    looked = threading.Barrier(2)
    ask = runner.job

    def slow(id):
        found = ask(id)
        if not found.active:
            with contextlib.suppress(threading.BrokenBarrierError):
                looked.wait(0.3)
        return found

    busy = runner.submit("w", ToyTask("count", seconds=1.0))
    monkeypatch.setattr(runner, "job", slow)
    tabs = [threading.Thread(target=runner.restart, args=(job.id,)) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    monkeypatch.undo()
    assert runner._queue.count(job.id) == 1
    assert ended(runner, busy).state == "done"
    assert ended(runner, job).state == "failed"


def test_jobs_go_on_while_the_catalog_cannot_be_written_and_are_kept_later(start, monkeypatch):
    runner = start()
    wait_for(lambda: runner._workers[0].ready)
    save = runner.catalog.save_job

    def refuse(*_args):
        raise WorkspaceError("The catalog could not be written (database or disk is full).")

    monkeypatch.setattr(runner.catalog, "save_job", refuse)
    job = runner.submit("w", ToyTask("count", seconds=0.7))
    done = ended(runner, job, 5.0)
    assert (done.state, done.result["counted"]) == ("done", 14)
    assert [(each.id, each.state) for each in runner.jobs("w")] == [(job.id, "done")]
    assert runner.jobs("other") == []
    monkeypatch.setattr(runner.catalog, "save_job", save)
    assert ended(runner, runner.submit("w", ToyTask("print")), 5.0).state == "done"
    assert runner.catalog.jobs(id=job.id)[0].state == "done"


def test_place_stays_filled_when_its_listener_fails(start, monkeypatch):
    runner = start()
    wait_for(lambda: runner._workers[0].ready)
    monkeypatch.setattr(runner, "_progress", lambda *_: 1 / 0)
    job = runner.submit("w", ToyTask("count", seconds=0.3))
    assert ended(runner, job, 5.0).state == "done"


def test_warm_up_goes_on_when_the_query_process_ends_while_it_warms(start):
    runner = start()
    slot = runner._queries.slot
    wait_for(lambda: slot.ready and runner._workers[0].ready)
    slot.warming = True  # as if it were importing torch
    runner._workers[0].cold = ["language model"]
    told: list[tuple] = []
    runner._workers[0].send = lambda **message: told.append((message["say"], slot.ready))
    slot.kill()
    wait_for(lambda: told, 5.0)
    assert told[0] == ("warm", False), "it waited until the process was there again"


def test_query_process_that_only_starts_is_not_killed_for_being_late(start, monkeypatch):
    runner = start(query_timeout_s=1)
    slot = runner._queries.slot
    wait_for(lambda: slot.ready)
    slot.ready = False  # as at the beginning of its life
    pid = slot.process.pid
    with pytest.raises(QueryError, match="did not start within 1 second"):
        runner.embed_query("r1", "a")
    time.sleep(0.3)
    assert slot.process is not None
    assert slot.process.pid == pid
    assert _alive(pid)


def test_jobs_of_another_workspace_do_not_wait_for_a_long_queue(start):
    runner = start()
    own = [runner.submit("a", ToyTask("count", seconds=0.2)) for _ in range(4)]
    other = runner.submit("b", ToyTask("count", seconds=0.2))
    ended(runner, other)
    assert runner.job(own[-1].id).active


def test_workers_run_side_by_side_when_asked_for(start):
    runner = start(workers=2)
    jobs = [runner.submit("w", ToyTask("count", seconds=60)) for _ in range(2)]
    wait_for(lambda: all(runner.job(job.id).done for job in jobs))
    assert all(runner.job(job.id).state == "running" for job in jobs)


def test_children_end_with_a_killed_server_and_its_job_is_interrupted(start, home):
    code = (
        "import sys, time; from pathlib import Path; from toy_tasks import ToyTask\n"
        "from workspace.runner import JobRunner; from workspace.settings import Settings\n"
        "r = JobRunner(Settings(home=Path(sys.argv[1]), warm_up=False, spare_workers=1))\n"
        "a = r.submit('w', ToyTask('deaf')); b = r.submit('w', ToyTask('count', seconds=0.1))\n"
        "while not r.job(a.id).result.get('half'): time.sleep(0.02)\n"
        "while not all(s.ready for s in (*r._workers, r._queries.slot)): time.sleep(0.02)\n"
        "pids = [s.process.pid for s in (*r._workers, r._queries.slot)]\n"
        "print(a.id, b.id, *pids, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        running, waiting, *pids = server.stdout.readline().split()
        server.send_signal(signal.SIGKILL)
    wait_for(lambda: not any(_alive(int(pid)) for pid in pids), 2.0)
    runner = start()
    for id in (running, waiting):
        job = runner.job(id)
        assert job.state == "interrupted"
        assert job.message.startswith("The server stopped while this job ran.")
    assert runner.job(running).result == {"half": True}
    runner.restart(waiting)
    assert ended(runner, runner.job(waiting)).state == "done"


def test_second_server_on_the_same_home_leaves_running_jobs_alone(start):
    first = start()
    job = first.submit("w", ToyTask("count", seconds=3.0))
    wait_for(lambda: first.job(job.id).done)
    second = start()
    assert second.job(job.id).state == "running"
    assert ended(first, job).state == "done"


def test_shutdown_leaves_no_process_and_takes_no_more_jobs(start):
    runner = start()
    ended(runner, runner.submit("w", ToyTask("print")))
    pids = [slot.process.pid for slot in (*runner._workers, runner._queries.slot) if slot.process]
    runner.shutdown()
    assert not any(_alive(pid) for pid in pids)
    with pytest.raises(WorkspaceError):
        runner.submit("w", ToyTask("print"))


def test_importing_the_workspace_loads_no_heavy_library():
    code = (
        "import sys, workspace.workspace, workspace.runner\n"
        "heavy = {'torch', 'umap', 'gensim', 'faiss', 'sklearn', 'numba', 'transformers'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_job_fails_with_a_sentence_when_no_worker_can_start(start, monkeypatch, tmp_path):
    monkeypatch.setattr("workspace.process.sys.executable", str(tmp_path / "missing"))
    runner = start()
    job = ended(runner, runner.submit("w", ToyTask("print")))
    assert job.state == "failed"
    assert job.message.startswith("No worker process could be started.")
