"""What is kept of a job that did not finish, said of the very job."""

from __future__ import annotations

from workspace.jobs import Job

WEEK = "for a week"
PARTS = "Finished parts are kept."
NOT_BEGUN = "It had not begun."
NO_DATA = "Nothing was added to the workspace."
NO_TRAINING = "Nothing is kept of an unfinished training: started again, it begins anew."
NO_VECTORS = "Nothing is kept of unfinished vectors: started again, it begins anew."
SOME_VECTORS = f"Vectors made so far are kept {WEEK}: started again, it goes on from them."
ALL_VECTORS = "The vectors are finished and kept; started again, it only draws them."


def what_is_kept(job: Job) -> str:
    """Return a sentence on what a job that ended early leaves behind."""
    from core.errors import EmbedscopeError
    from workspace.tasks import EmbedTask, ReadTask, task_from_json

    if job.started is None:
        return NOT_BEGUN
    try:
        task = task_from_json(job.task)
    except (EmbedscopeError, ValueError):  # of another version
        return PARTS
    if isinstance(task, ReadTask):
        return NO_DATA
    if not isinstance(task, EmbedTask):
        return PARTS
    return ALL_VECTORS if job.result.get("run_ready") else _of_method(task.embedder)


def what_a_failure_leaves(job: Job, *, has_vectors: bool) -> str:
    """Return a sentence on what is kept of an embedding that failed, "" where it had made nothing.

    Parameters
    ----------
    job : Job
        As it stood when it failed, with its training.
    has_vectors : bool
        Whether vectors of some items lie there, from which it would go on.
    """
    from core.errors import EmbedscopeError
    from workspace.tasks import EmbedTask, task_from_json

    try:
        task = task_from_json(job.task)
    except (EmbedscopeError, ValueError):  # of another version
        return ""
    if not isinstance(task, EmbedTask):
        return ""
    if job.result.get("run_ready"):
        return ALL_VECTORS
    if has_vectors:
        return SOME_VECTORS
    return NO_TRAINING if job.training else ""


def _of_method(id: str) -> str:
    from embedders import EMBEDDERS
    from embedders.base import ItemEmbedder

    method = next((one for one in EMBEDDERS if one.id == id), None)
    if method is None:
        return PARTS
    if issubclass(method, ItemEmbedder) and method.pretrained:
        return SOME_VECTORS
    return NO_TRAINING if method.fit_stages else NO_VECTORS
