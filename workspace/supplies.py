"""What a method needs besides its data, other datasets and earlier models: found, handed over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from core.errors import ModalityMismatch, ParameterError
from core.modality import Modality
from core.params import Spec
from ingest.dataset import Dataset
from workspace.records import RunInfo
from workspace.store import Store, present

if TYPE_CHECKING:
    from embedders import Embedder

FindDataset = Callable[[str], Dataset | None]
FindRun = Callable[[str], tuple["Embedder", str] | None]
"""Returns the fitted model of a run and the name of what it was fitted on, or None."""


def wanted(embedder: Embedder, kind: str) -> Iterator[tuple[str, str, Spec]]:
    """Yield name, chosen id and declaration of each setting of a kind ("dataset", "run")."""
    for name, spec in embedder.params_class.specs().items():
        if spec.kind == kind:
            yield name, str(getattr(embedder.params, name)), spec


def supply(embedder: Embedder, find: FindDataset, find_run: FindRun | None = None) -> None:
    """Hand over every dataset and model that the settings name and that is found."""
    for name, id, _ in wanted(embedder, "dataset"):
        found = find(id) if id else None
        if found is not None:
            embedder.supply(name, found)
    for name, id, _ in wanted(embedder, "run"):
        model = find_run(id) if id and find_run is not None else None
        if model is not None:
            embedder.supply_model(name, *model)


def restored(info: RunInfo, store: Store, find: FindDataset) -> Embedder:
    """Return the fitted model of a run from its stored state.

    Raises
    ------
    WorkspaceError
        If its state has gone.
    NotFittedError
        If the method keeps nothing to answer with.
    EmbedderUnavailable
        If pretrained weights are no longer those that the run was made with.
    """
    from embedders import get_embedder, same_weights

    state = present(store.state(info.id), f"The model of {info.title}")
    if "weights_sha256" in info.provenance:  # runs of earlier versions have it there alone
        state = {**same_weights.kept(info.provenance), **state}
    embedder = get_embedder(info.embedder, seed=info.seed, **info.params)
    supply(embedder, find)  # an earlier model's own state is whole without its run
    embedder.run_notes = tuple(info.provenance.get("notes", ()))
    return embedder.restore(state)


def check_choices(
    embedder: Embedder,
    kind_of: Callable[[str], tuple[str, Modality]],
    run_of: Callable[[str], RunInfo],
) -> None:
    """Refuse settings that name nothing of the workspace, or something that does not fit.

    ``kind_of`` returns name and kind of a dataset by its id, ``run_of`` a run; both raise
    WorkspaceError for what is not there.

    Raises
    ------
    ParameterError, ModalityMismatch, WorkspaceError
    """
    for setting, id, spec in wanted(embedder, "dataset"):
        if not id and spec.is_optional:
            continue
        if not id:
            raise ParameterError(
                f"{embedder.title} needs {setting}: choose a dataset of {spec.of}. If there is "
                "none yet, load its file on the Data page."
            )
        name, modality = kind_of(id)
        if modality != spec.of:
            raise ModalityMismatch(
                f"{name} is {modality} data; {embedder.title} takes {spec.of} data as {setting}. "
                "Choose another one."
            )
    for _, id, _ in wanted(embedder, "run"):
        if not id:
            raise ParameterError(
                f"{embedder.title} needs a run: choose one whose model takes such data. If there "
                "is none yet, embed other data first."
            )
        run_of(id)
