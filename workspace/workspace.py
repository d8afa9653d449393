"""``Workspace``: one user's datasets, runs, layouts and jobs; what the pages call."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.arrays import FloatMatrix, FloatVector
from core.errors import EmbedderUnavailable, ModalityMismatch, ParameterError, WorkspaceError
from core.modality import Modality
from embedders.trace import Trace
from ingest.dataset import Dataset
from ingest.source import Source, SourceLike, as_sources
from vectors.keyed import KeyedVectors
from workspace.identity import canonical, graph_id, run_id
from workspace.jobs import Job
from workspace.linking import link_dataset
from workspace.records import DatasetInfo, HowRead, LayoutInfo, RunInfo
from workspace.runner import JobRunner
from workspace.store import present
from workspace.supplies import check_choices
from workspace.tasks import EmbedTask, LayoutSpec, LayoutTask, ReadTask

if TYPE_CHECKING:
    from comparison.compression import CompressionResult
    from comparison.space_profile import SpaceProfile
    from comparison.task_result import TaskResult
    from embedders import Embedder
    from projection.layout import Layout
    from vectors import KnnGraph
    from workspace.compressing import CompressTask
    from workspace.measuring import Measured
    from workspace.pair_findings import Finding, PairTask
    from workspace.recipes import Recipe
    from workspace.stored_comparison import ComparisonInfo, StoredComparison

T = TypeVar("T")
_UMAP = LayoutSpec()
_UNFINISHED = ("failed", "interrupted")
_CANCEL_S = 3.0
_PREDICTED_BELOW = 100_000

__all__ = ["DatasetInfo", "LayoutInfo", "RunInfo", "RunPreview", "Workspace"]


@dataclass(frozen=True, eq=False)
class RunPreview:
    """The first picture of a long encoding.

    Attributes
    ----------
    dataset : str
    rows : (n,) int64
        Positions in the dataset, ascending.
    coordinates : (n, 2) float32
        PCA of their vectors.
    matrix : (n, d) float32
        Their vectors, as they will be in the finished run.
    of : int
        Items of the dataset.
    """

    dataset: str
    rows: NDArray[np.int64]
    coordinates: FloatMatrix
    matrix: FloatMatrix
    of: int


class Workspace:
    """What one user sees; opened by an unguessable id, and blind for what others loaded.

    Use ``create`` or ``open``.
    """

    def __init__(self, runner: JobRunner, id: str) -> None:
        self.id = id
        self._runner = runner
        self._catalog, self._store = runner.catalog, runner.store

    @classmethod
    def create(cls, runner: JobRunner) -> Workspace:
        """Return a new, empty workspace."""
        id = secrets.token_urlsafe(16)
        runner.catalog.add_workspace(id)
        return cls(runner, id)

    @classmethod
    def open(cls, runner: JobRunner, id: str) -> Workspace:
        """Return an existing workspace.

        Raises
        ------
        WorkspaceError
            If there is none with that id.
        """
        if not runner.catalog.has_workspace(id):
            raise WorkspaceError(
                "This link leads to no workspace on this server. Check that it was copied whole, "
                "or start with a new workspace."
            )
        return cls(runner, id)

    # datasets
    def add_dataset(
        self, dataset: Dataset, name: str | None = None, *, how: HowRead | None = None
    ) -> DatasetInfo:
        """Keep a dataset in this workspace.

        Of content that is here already, the notes and dropped rows become those of ``dataset``;
        its runs, age and name stay, unless ``name`` gives it another one. With ``how`` it was
        read, a recipe lets others read it the same way.
        """
        return link_dataset(self._store, self._catalog, self.id, dataset, name, how)

    def how_read(self, id: str) -> HowRead:
        """Return how a dataset was read, as far as that is known."""
        told = _theirs(self._catalog.told(self.id, id), "dataset")
        return HowRead(tuple(told.get("files", ())), told.get("options", {}))

    def datasets(self) -> list[DatasetInfo]:
        """Return the datasets, oldest first."""
        return self._catalog.datasets(self.id)

    def dataset_info(self, id: str) -> DatasetInfo:
        """Return what is known of a dataset, without its content."""
        found = self._catalog.datasets(self.id, id)
        return _theirs(found[0] if found else None, "dataset")

    def dataset(self, id: str) -> Dataset:
        """Return a dataset.

        Raises
        ------
        WorkspaceError
            If it is not in this workspace, or damaged on disk.
        """
        told = _theirs(self._catalog.told(self.id, id), "dataset")
        return present(self._store.dataset(id, told), f"The dataset {told['name']}")

    def rename_dataset(self, id: str, name: str) -> DatasetInfo:
        """Give a dataset another name."""
        name = name.strip()
        if not name:
            raise ParameterError("A dataset needs a name of at least one character.")
        self.dataset_info(id)
        self._catalog.rename_dataset(self.id, id, name)
        return self.dataset_info(id)

    def remove_dataset(self, id: str) -> None:
        """Take a dataset and all that was made of it out of this workspace.

        Its jobs are cancelled. The files are deleted unless another workspace holds the same data.
        """
        self.dataset_info(id)
        for job in self.jobs():
            if job.active and job.result.get("dataset") == id:
                self._runner.cancel(job.id)
                self._runner.wait(job.id, _CANCEL_S)  # else it may publish what is deleted here
        for info in self.comparisons():
            if id in info.recipe.datasets:
                self.remove_comparison(info.id)
        with self._store.keeping_datasets():
            if self._catalog.unlink_dataset(self.id, id):
                for run, layouts in self._catalog.forget_dataset(id):
                    self._store.remove_run(run.id, run.kinds, layouts)
                self._store.remove_dataset(id)

    def read_upload(
        self,
        sources: SourceLike | Source | Sequence[SourceLike | Source],
        *,
        kind: str | None = None,
        name: str | None = None,
        **options: Any,
    ) -> Job:
        """Read files into a dataset in a worker; ``job.result["dataset"]`` is its id when done.

        Parameters
        ----------
        sources
            Paths, ``(name, bytes)`` pairs or open files.
        kind, **options
            As for ``ingest.read_dataset``; plain values only.
        name : str, optional
            What to call the dataset.
        """
        files = as_sources(sources)
        token = self._runner.uploads.put(files, self._runner.settings.max_upload_mb)
        names = tuple(file.name for file in files)
        shown = name or (names[0] if len(names) == 1 else f"{len(names)} files")
        task = ReadTask(token, names, kind, options, name)
        return self._runner.submit(self.id, task, title=f"Reading {shown}")

    # runs and layouts
    def embed(
        self,
        dataset: str,
        embedder: str,
        params: Mapping[str, Any] | None = None,
        seed: int = 0,
        layout: LayoutSpec | None = _UMAP,
    ) -> Job:
        """Embed a dataset and draw it.

        Raises
        ------
        ParameterError, UnknownEmbedder, ModalityMismatch
            At once, for what cannot be.
        """
        from embedders import get_embedder

        info = self.dataset_info(dataset)
        method = get_embedder(embedder, seed=seed, **(params or {}))
        self._check_fits(method, info)
        result = {"dataset": dataset}
        if info.n <= _PREDICTED_BELOW:  # else the worker tells it, a moment later
            result["run"] = run_id(method, self.dataset(dataset))
        drawn = None if layout is None else canonical(layout)
        task = EmbedTask(dataset, embedder, method.params.to_dict(), seed, drawn)
        return self._runner.submit(
            self.id, task, title=f"{method.title} · {info.name}", result=result
        )

    def _check_fits(self, method: Embedder, info: DatasetInfo) -> None:
        """Refuse a method that does not take such data, or lacks something of the workspace."""
        sides = info.sides.modalities if info.sides else None
        if info.modality in method.accepts and not method.takes(info.modality, sides):
            left, right = sides or (None, None)
            raise ModalityMismatch(
                f"{method.title} does not take both sides of {info.name}, pairs of {left} and "
                f"{right}. Choose another method."
            )
        if info.modality not in method.accepts:
            takes = " or ".join(sorted(method.accepts))
            raise ModalityMismatch(
                f"{method.title} takes {takes} data, but {info.name} is {info.modality} data. "
                "Choose another method or read the file as another kind."
            )
        check_choices(method, self._kind_of, self.run)

    def _kind_of(self, dataset: str) -> tuple[str, Modality]:
        info = self.dataset_info(dataset)
        return info.name, info.modality

    def fetch_vectors(self, known: str, dataset: str) -> Job:
        """Download a known set of word vectors; ``job.result["vectors"]`` is its dataset's id.

        Parameters
        ----------
        known : str
            Id of ``embedders.known_vector_sets``. Calling this is the user's consent.
        dataset : str
            The dataset for which it is wanted.

        Raises
        ------
        ParameterError, EmbedderUnavailable
            At once, for an unknown name or where downloads are switched off.
        """
        from embedders.known_vector_sets import INSTEAD, known_set
        from workspace.downloads import check_allowed
        from workspace.fetching import FetchTask

        one = known_set(known)
        check_allowed(self._runner.settings.downloads, one.title, INSTEAD)
        task = FetchTask(known, dataset)
        title = f"Downloading {one.title}"
        return self._runner.submit(self.id, task, title=title, result={"dataset": dataset})

    def fetch_model(
        self,
        embedder: str,
        params: Mapping[str, Any],
        dataset: str,
        agreed_mb: int | None = None,
    ) -> Job:
        """Download the pretrained model that a method needs with ``params``.

        Calling this is the user's consent. A download that broke off is continued.

        Parameters
        ----------
        embedder : str
        params : mapping
        dataset : str
            The dataset for which it is wanted.
        agreed_mb : int, optional
            The size that the user was shown; a model that has grown since is refused.

        Raises
        ------
        ParameterError, UnknownEmbedder, EmbedderUnavailable
            At once, where there is nothing to download or downloads are switched off.
        """
        from embedders import get_embedder
        from embedders.hub_download import instead_of
        from workspace.downloads import check_allowed
        from workspace.model_fetching import FetchModelTask, wanted_model

        self.dataset_info(dataset)
        source = wanted_model(embedder, params)
        check_allowed(self._runner.settings.downloads, source.name, instead_of(source))
        given = get_embedder(embedder, **params).params.to_dict()
        task = FetchModelTask(embedder, given, dataset, agreed_mb)
        result = {"dataset": dataset, "model": source.name}
        title = f"Downloading {source.name}"
        return self._runner.submit(self.id, task, title=title, result=result)

    def project(self, run: str, spec: LayoutSpec) -> Job:
        """Draw a run in another way.

        Raises
        ------
        ParameterError
            At once, for a method or settings that do not exist.
        """
        from projection import get_projection

        info, spec = self.run(run), canonical(spec)
        drawn = f"{get_projection(spec.method).title} in {spec.n_components}-D"
        return self._runner.submit(
            self.id,
            LayoutTask(run, spec),
            title=f"{drawn} · {info.title}",
            result={"dataset": info.dataset, "run": run, "run_ready": True},
        )

    def runs(self, dataset: str | None = None) -> list[RunInfo]:
        """Return the finished runs (of one dataset), oldest first."""
        return self._catalog.runs(self.id, dataset)

    def run(self, id: str) -> RunInfo:
        """Return what is known of a run."""
        found = self._catalog.runs(self.id, id=id)
        return _theirs(found[0] if found else None, "run")

    def vectors(self, run: str, kind: str | None = None) -> KeyedVectors:
        """Return the vectors of a run (of one kind of key), memory-mapped."""
        info = self.run(run)
        vectors = present(self._store.vectors(run), f"The vectors of {info.title}")
        return vectors if kind is None else vectors.of_kind(kind)

    def graph(self, run: str, kind: str) -> KnnGraph | None:
        """Return the true neighbours of every key of a kind, or None while they are computed."""
        self.run(run)
        return self._store.graph(graph_id(run, kind))

    def layouts(self, run: str) -> list[LayoutInfo]:
        """Return the layouts of a run, oldest first."""
        return self._catalog.layouts(self.id, run)

    def layout(self, id: str) -> Layout:
        """Return a layout.

        It is shown before its quality is measured: ``quality`` is None until then.
        """
        found = self._catalog.layouts(self.id, id=id)
        _theirs(found[0] if found else None, "layout")
        return present(self._store.layout(id), "The layout")

    # comparisons
    def compare(self, recipe: Recipe) -> Job:
        """Build every member of a recipe and compare them.

        ``job.result["comparison"]`` is the id of the comparison when done. Runs that are there
        already are used as they are.

        Raises
        ------
        ParameterError, UnknownEmbedder, ModalityMismatch, EmbedderUnavailable
            At once, for what cannot be.
        """
        from embedders import get_embedder
        from workspace.comparing import CompareTask
        from workspace.recipes import checked

        recipe = checked(recipe)
        for member in recipe.members:
            method = get_embedder(member.embedder, seed=member.seed, **member.params)
            self._check_fits(method, self.dataset_info(member.dataset))
            ready = method.availability(method.params)
            if ready.state != "ready":
                raise EmbedderUnavailable(f"{member.name} is not ready: {ready.hint}")
        info = self.dataset_info(recipe.dataset)
        title = f"Comparing {len(recipe.members)} embeddings · {info.name}"
        result = {"dataset": recipe.dataset, "comparing": True}
        return self._runner.submit(self.id, CompareTask(recipe), title=title, result=result)

    def comparisons(self, dataset: str | None = None) -> list[ComparisonInfo]:
        """Return the finished comparisons (of one dataset), oldest first."""
        return [
            info
            for info in self._comparison_infos(self._catalog.comparisons(self.id))
            if dataset in (None, info.recipe.dataset)
        ]

    def _comparison_infos(self, ids: Sequence[str]) -> list[ComparisonInfo]:
        from workspace.stored_comparison import info_of

        there = {run.id for run in self.runs()}
        metas = (self._store.comparison_meta(id) for id in ids)
        infos = (info_of(meta) for meta in metas if meta is not None)
        # Without its runs a dataset of it was removed.
        return [info for info in infos if info is not None and there.issuperset(info.runs)]

    def comparison(self, id: str) -> StoredComparison:
        """Return a comparison with all figures of its overview.

        Raises
        ------
        WorkspaceError
            If it is not in this workspace, or something of it is gone.
        """
        from workspace.stored_comparison import open_comparison

        known = id if id in self._catalog.comparisons(self.id) else None
        stored = open_comparison(_theirs(known, "comparison"), self._store)
        for run in stored.info.runs:
            self.run(run)
        return stored

    def measure(
        self,
        comparison: str,
        asked: str,
        settings: Mapping[str, Any] | None = None,
        files: Mapping[str, SourceLike | Source] | None = None,
        *,
        title: str | None = None,
    ) -> Job:
        """Measure a task on a comparison; ``job.result["finding"]`` is the id of its results.

        Parameters
        ----------
        comparison : str
        asked : str
            Id of an offered task.
        settings : mapping, optional
            As ``workspace.measuring.SETTINGS``; those left out have their defaults.
        files : mapping, optional
            By their role, as ``workspace.task_files.FILES``.
        title : str, optional
            What people call the task.

        Raises
        ------
        ParameterError, TooLarge, WorkspaceError
            At once, for what cannot be.
        """
        from workspace.measuring import MeasureTask, complete

        info = self._comparison_info(comparison)
        sources = {role: as_sources(file)[0] for role, file in (files or {}).items()}
        chosen = complete(asked, settings or {}, sources)
        upload = ""
        if sources:
            most = self._runner.settings.max_upload_mb
            upload = self._runner.uploads.put(list(sources.values()), most)
        names = tuple(source.name for source in sources.values())
        task = MeasureTask(comparison, asked, chosen, upload, tuple(sources), names)
        shown = f"{title or asked} of {len(info.names)} embeddings"
        result = {"dataset": info.recipe.dataset, "comparing": True}
        return self._runner.submit(self.id, task, title=shown, result=result)

    def measured(
        self,
        comparison: str,
        asked: str,
        settings: Mapping[str, Any] | None = None,
        files: Mapping[str, SourceLike | Source] | None = None,
    ) -> tuple[TaskResult, ...] | None:
        """Return the results of a task, or None where it was not measured yet; as ``measure``."""
        from workspace.measuring import complete, finding_id

        sources = {role: as_sources(file)[0] for role, file in (files or {}).items()}
        chosen = complete(asked, settings or {}, sources)
        return self.finding(comparison, finding_id(comparison, asked, chosen, sources))

    def measurements(self, comparison: str, asked: str | None = None) -> list[Measured]:
        """Return what was measured on a comparison (of one task), newest first, each once."""
        from workspace.measuring import Measured, MeasureTask
        from workspace.tasks import task_from_json

        found: dict[str, Measured] = {}
        for job in self.jobs():
            id = job.result.get("finding")
            if job.state != "done" or id is None or "MeasureTask" not in job.task:
                continue
            task = task_from_json(job.task)
            if not isinstance(task, MeasureTask) or task.comparison != comparison:
                continue
            if asked in (None, task.asked):
                one = Measured(
                    id, comparison, task.asked, task.settings, task.names, job.finished or 0.0
                )
                found.setdefault(id, one)
        return list(found.values())

    def finding(self, comparison: str, id: str) -> tuple[TaskResult, ...] | None:
        """Return the results of a task by their id, or None where they are not there."""
        from workspace.measuring import results_of

        self._comparison_info(comparison)
        return results_of(id, self._store, comparison)

    def _comparison_info(self, id: str) -> ComparisonInfo:
        known = [id] if id in self._catalog.comparisons(self.id) else []
        found = self._comparison_infos(known)
        return _theirs(found[0] if found else None, "comparison")

    def measure_pair(self, task: PairTask) -> Job:
        """Measure one thing of two members of a comparison; ``pair_finding`` has the answer."""
        info = self._comparison_info(task.comparison)
        title = f"Comparing {task.first} and {task.second} · {task.part}"
        result = {"dataset": info.recipe.dataset, "comparing": True}
        return self._runner.submit(self.id, task, title=title, result=result)

    def pair_finding(self, task: PairTask) -> Finding | None:
        """Return what ``measure_pair`` found, or None where it was not measured yet."""
        from workspace.pair_findings import found

        self._comparison_info(task.comparison)
        return found(task, self._store)

    def compress_run(self, task: CompressTask) -> Job:
        """Measure what is left of members of a comparison in fewer bytes; see ``compressed``.

        Raises
        ------
        ParameterError, WorkspaceError
            At once, for what cannot be.
        """
        from workspace.compressing import check

        info = self._comparison_info(task.comparison)
        check(task, info)
        n = len(task.members)
        title = f"Compressing {task.members[0] if n == 1 else f'{n} embeddings'}"
        result = {"dataset": info.recipe.dataset, "comparing": True}
        return self._runner.submit(self.id, task, title=title, result=result)

    def compressed(
        self, comparison: str, member: str, column: str | None = None, k: int = 10
    ) -> CompressionResult | None:
        """Return what ``compress_run`` found of one member, or None where it did not measure it."""
        from workspace.compressing import CompressTask, check, finding_id, kept

        info = self._comparison_info(comparison)
        check(CompressTask(comparison, (member,), column, k), info)
        dim = self.run(info.run_of(member)).dim
        return kept(finding_id(info, member, dim, column, k), self._store)

    def compressions(self, comparison: str) -> list[CompressTask]:
        """Return what was measured with ``compress_run`` on a comparison, newest first."""
        from workspace.compressing import CompressTask
        from workspace.tasks import task_from_json

        self._comparison_info(comparison)
        done = (job for job in self.jobs() if job.state == "done" and "CompressTask" in job.task)
        tasks = (task_from_json(job.task) for job in done)
        mine = (t for t in tasks if isinstance(t, CompressTask) and t.comparison == comparison)
        return list(dict.fromkeys(mine))

    def draw_linked(self, comparison: str, runs: Sequence[str], method: str = "umap") -> Job:
        """Draw members of a comparison, to be shown beside each other."""
        from workspace.linked_layouts import LinkedLayoutsTask

        info = self._comparison_info(comparison)
        called = dict(zip(info.runs, info.names, strict=True))
        names = " and ".join(called.get(run) or self.run(run).title for run in runs)
        task = LinkedLayoutsTask(info.recipe.dataset, tuple(runs), method)
        result = {"dataset": info.recipe.dataset, "comparing": True}
        return self._runner.submit(self.id, task, title=f"Drawing {names}", result=result)

    def profile_spaces(self, comparison: str) -> Job:
        """Measure the shape of every member of a comparison; ``space_profile`` has them."""
        from workspace.profiling import ProfileTask

        info = self._comparison_info(comparison)
        title = f"The shapes of {len(info.names)} embeddings"
        result = {"dataset": info.recipe.dataset, "comparing": True}
        return self._runner.submit(self.id, ProfileTask(comparison), title=title, result=result)

    def space_profile(self, comparison: str, name: str) -> SpaceProfile | None:
        """Return the shape of a member, or None where no job has measured it yet."""
        from workspace.profiling import found

        self._comparison_info(comparison)
        return found(comparison, name, self._store)

    def remove_comparison(self, id: str) -> None:
        """Take a comparison out of this workspace; its runs stay."""
        if self._catalog.unlink_comparison(self.id, id):
            self._store.remove_comparison(id)

    def embed_query(self, run: str, query: object) -> FloatVector:
        """Return the ``(d,) float32`` vector of a text, image (bytes) or key in a run's space."""
        self.run(run)
        return self._runner.embed_query(run, query)

    def prepare_queries(self, run: str) -> None:
        """Begin to load what answers queries about a run, while the user still thinks of one."""
        self.run(run)
        self._runner.prepare_queries(run)

    def embed_queries(self, run: str, queries: Sequence[str]) -> FloatMatrix:
        """Return the ``(n, d) float32`` vectors of several texts or keys in a run's space."""
        self.run(run)
        return self._runner.embed_queries(run, queries)

    def model_bytes(self, run: str) -> int:
        """Return how many bytes the fitted model of a run takes; 0 where nothing is kept."""
        self.run(run)
        return self._store.state_bytes(run)

    def model_file(self, run: str) -> bytes:
        """Return the fitted model of a run as a file that ``load_model`` takes."""
        from embedders import get_embedder
        from embedders.saved_model import model_bytes

        info = self.run(run)
        state = present(self._store.state(run), f"The model of {info.title}")
        method = get_embedder(info.embedder, seed=info.seed, **info.params)
        return model_bytes(method, state, trained_on=self.dataset_info(info.dataset).name)

    def trace(self, run: str, text: str) -> Trace:
        """Return how a text becomes tokens, numbers and a vector in a run's space."""
        self.run(run)
        return self._runner.trace(run, text)

    def trace_item(self, run: str, text: str, side: int | None) -> Trace:
        """Return how a text became the vector of an item; ``side`` is None where there are none."""
        self.run(run)
        return self._runner.trace_item(run, text, side)

    # jobs
    def jobs(self) -> list[Job]:
        """Return the jobs of this workspace, newest first."""
        return self._runner.jobs(self.id)

    def open_jobs(self) -> list[Job]:
        """Return what still needs the user's eye, newest first.

        Those are the jobs that wait or run, and the failed and interrupted ones that were not
        dismissed.
        """
        seen = self._catalog.dismissed_jobs(self.id)
        return [
            job
            for job in self.jobs()
            if job.active or (job.state in _UNFINISHED and job.id not in seen)
        ]

    def dismiss(self, id: str) -> None:
        """Leave an ended job out of ``open_jobs``, until it is started again.

        Raises
        ------
        WorkspaceError
            If this workspace has no such job.
        """
        if not self.job(id).active:  # in another tab it may have been started again
            self._catalog.dismiss_job(self.id, id)

    def job(self, id: str) -> Job:
        """Return how a job stands.

        Raises
        ------
        WorkspaceError
            If this workspace has no such job.
        """
        job = self._runner.job(id)
        if job.workspace != self.id:
            raise WorkspaceError("There is no such job in this workspace. Start it again.")
        return job

    def cancel(self, id: str) -> Job:
        """Stop a job; what it finished is kept."""
        self.job(id)
        return self._runner.cancel(id)

    def restart(self, id: str) -> Job:
        """Queue a stopped or failed job again; what is finished is not computed twice."""
        self.job(id)
        self._catalog.recall_job(id)
        return self._runner.restart(id)

    def preview(self, job: str | Job) -> RunPreview | None:
        """Return the first picture of a running job, or None while there is none."""
        now = self.job(job if isinstance(job, str) else job.id)
        told = now.result.get("preview")
        if told is None:
            return None
        arrays = self._store.preview(told["id"])
        if arrays is None:
            return None
        return RunPreview(dataset=now.result["dataset"], of=told["of"], **arrays)


def _theirs(found: T | None, what: str) -> T:
    if found is None:
        raise WorkspaceError(
            f"There is no such {what} in this workspace. It may have been removed; "
            "choose another one."
        )
    return found
