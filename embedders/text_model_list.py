"""Text models worth knowing: what each costs, may be used for, and is good at."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import EmbedscopeError
from core.params import Suggestion
from embedders import hub_model, minilm
from embedders.model_files import TEXT_FILES

_SEARCH = "Represent this sentence for searching relevant passages: "


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """Facts of one model, from its model card.

    Attributes
    ----------
    name : str
        On the hub.
    mb : int
        Megabytes to download, roughly: 4 bytes per parameter, 2 where it is published so.
    licence, languages : str
    dim : int
        Dimensions of its vectors.
    max_tokens : int
        Tokens read of a text; 0 where it reads whole texts.
    good_at : str
        A few words.
    document_prompt, query_prompt : str
        What its card asks for, where its files do not say so themselves.
    asks_for : str
        A word on prompts that its files ask for.
    matryoshka : tuple of int
        Shorter lengths that it was trained for.
    is_gated : bool
        Whether the hub gives it only to accounts that accepted its licence.
    """

    name: str
    mb: int
    licence: str
    languages: str
    dim: int
    max_tokens: int
    good_at: str
    document_prompt: str = ""
    query_prompt: str = ""
    asks_for: str = ""
    matryoshka: tuple[int, ...] = ()
    is_gated: bool = False

    @property
    def about(self) -> str:
        """Return a sentence on what it is good at and what to know of it."""
        prompts = self.asks_for or (
            f"Its card asks for {self.document_prompt!r} before texts and "
            f"{self.query_prompt!r} before queries."
            if self.document_prompt
            else f"Its card asks for {self.query_prompt!r} before queries."
            if self.query_prompt
            else ""
        )
        reads = f"reads {self.max_tokens:,} tokens" if self.max_tokens else "reads whole texts"
        parts = [f"{self.good_at}; {reads}; licence {self.licence}.", prompts]
        if self.matryoshka:
            parts.append(f"May be cut to {', '.join(map(str, self.matryoshka))} dimensions.")
        if self.is_gated:
            parts.append("The hub gives it only to accounts that accepted its licence.")
        return " ".join(part for part in parts if part)


KNOWN: tuple[KnownModel, ...] = (
    KnownModel(
        name=minilm.NAME,
        mb=91,
        licence="Apache-2.0",
        languages="English",
        dim=384,
        max_tokens=256,
        good_at="Quick and good at most things",
    ),
)


def known(name: str) -> KnownModel | None:
    """Return the facts of a model, or None of one that is not in the list."""
    plain = name.partition("@")[0].lower()
    return next((model for model in KNOWN if model.name.lower() == plain), None)


def full_name(name: str) -> str:
    """Return the name on the hub of a model that is called by the last part of it."""
    plain = name.strip()
    short = {model.name.rpartition("/")[2].lower(): model.name for model in KNOWN}
    return short.get(plain.lower(), plain)


def suggestions() -> tuple[Suggestion, ...]:
    """Return the models of the list, then others that are on this machine, ready ones marked."""
    listed = [Suggestion(model.name, " · ".join(_label(model)), model.about) for model in KNOWN]
    ours = {model.name.lower() for model in KNOWN}
    others = [
        Suggestion(name, f"{name} · ready", "Found on this machine.")
        for name in hub_model.ready_models(TEXT_FILES)
        if name.lower() not in ours
    ]
    return (*listed, *others)


def _label(model: KnownModel) -> list[str]:
    short = model.name.rpartition("/")[2]
    state = "ready" if is_ready(model.name) else f"{model.mb:,} MB to download"
    return [short, model.languages, f"{model.dim:,}-d", state]


def is_ready(name: str) -> bool:
    """Tell whether a model is on this machine."""
    if minilm.is_packaged(name):
        return not minilm.missing_packages()
    try:
        return hub_model.locate(hub_model.HubModel(name)) is not None
    except EmbedscopeError:
        return False
