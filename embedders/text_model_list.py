"""Text models worth knowing: what each costs, may be used for, and is good at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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


def _model(
    name: str,
    mb: int,
    licence: str,
    languages: str,
    dim: int,
    max_tokens: int,
    good_at: str,
    **more: Any,
) -> KnownModel:
    return KnownModel(
        name=name,
        mb=mb,
        licence=licence,
        languages=languages,
        dim=dim,
        max_tokens=max_tokens,
        good_at=good_at,
        **more,
    )


_APACHE = "Apache-2.0"
_E5 = {"document_prompt": "passage: ", "query_prompt": "query: "}
KNOWN: tuple[KnownModel, ...] = (
    _model(minilm.NAME, 91, _APACHE, "English", 384, 256, "Quick and good at most things"),
    _model(
        "sentence-transformers/all-mpnet-base-v2",
        438,
        _APACHE,
        "English",
        768,
        384,
        "Meaning of sentences and short paragraphs; better and five times slower than MiniLM",
    ),
    _model(
        "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
        471,
        _APACHE,
        "50 languages",
        384,
        128,
        "The same meaning in different languages, in short texts",
    ),
    _model(
        "intfloat/multilingual-e5-small",
        471,
        "MIT",
        "About 100 languages",
        384,
        512,
        "Search across languages",
        **_E5,
    ),
    _model(
        "intfloat/multilingual-e5-base",
        1_112,
        "MIT",
        "About 100 languages",
        768,
        512,
        "Search across languages; better and slower than its small one",
        **_E5,
    ),
    _model(
        "BAAI/bge-small-en-v1.5",
        133,
        "MIT",
        "English",
        384,
        512,
        "Search, at the size of MiniLM",
        query_prompt=_SEARCH,
    ),
    _model(
        "BAAI/bge-base-en-v1.5",
        438,
        "MIT",
        "English",
        768,
        512,
        "Search",
        query_prompt=_SEARCH,
    ),
    _model(
        "Snowflake/snowflake-arctic-embed-s",
        133,
        _APACHE,
        "English",
        384,
        512,
        "Search, at the size of MiniLM",
        query_prompt=_SEARCH,
    ),
    _model(
        "mixedbread-ai/mxbai-embed-large-v1",
        670,
        _APACHE,
        "English",
        1_024,
        512,
        "Search and meaning; large and slow without a graphics card",
        query_prompt=_SEARCH,
        matryoshka=(512,),
    ),
    _model(
        "nomic-ai/modernbert-embed-base",
        596,
        _APACHE,
        "English",
        768,
        8_192,
        "Long texts",
        document_prompt="search_document: ",
        query_prompt="search_query: ",
        matryoshka=(256,),
    ),
    _model(
        "Qwen/Qwen3-Embedding-0.6B",
        1_192,
        _APACHE,
        "Over 100 languages",
        1_024,
        32_768,
        "Search in many languages and long texts; a decoder, slow without a graphics card",
        asks_for="It asks for an instruction before queries.",
        matryoshka=(32, 64, 128, 256, 512),
    ),
    _model(
        "google/embeddinggemma-300m",
        1_230,
        "Gemma",
        "Over 100 languages",
        768,
        2_048,
        "Search and meaning in many languages",
        document_prompt="title: none | text: ",
        query_prompt="task: search result | query: ",
        matryoshka=(512, 256, 128),
        is_gated=True,
    ),
    _model(
        "sentence-transformers/sentence-t5-base",
        219,
        _APACHE,
        "English",
        768,
        256,
        "Meaning of sentences; an encoder of T5",
    ),
    _model(
        "sentence-transformers/gtr-t5-base",
        219,
        _APACHE,
        "English",
        768,
        512,
        "Search; an encoder of T5",
    ),
    _model(
        "sentence-transformers/static-retrieval-mrl-en-v1",
        125,
        _APACHE,
        "English",
        1_024,
        0,
        "Search, hundreds of times faster: one fixed vector per word piece, the order is lost",
        matryoshka=(32, 64, 128, 256, 512),
    ),
    _model(
        "google-bert/bert-base-uncased",
        440,
        _APACHE,
        "English",
        768,
        512,
        "The BERT of 2018, never trained to compare texts: to see what that training adds",
    ),
    _model(
        "openai-community/gpt2",
        548,
        "MIT",
        "English",
        768,
        1_024,
        "A decoder that was trained to write, not to compare: to see what that training adds",
    ),
)


def known(name: str) -> KnownModel | None:
    """Return the facts of a model, or None of one that is not in the list."""
    plain = name.partition("@")[0].lower()
    return next((model for model in KNOWN if model.name.lower() == plain), None)


def full_name(name: str) -> str:
    """Return the name on the hub of a model that is called by the last part of it.

    A model that lies here under the short name itself (as older caches have it) keeps that name.
    """
    plain = name.strip()
    short = {model.name.rpartition("/")[2].lower(): model.name for model in KNOWN}
    full = short.get(plain.lower(), plain)
    return plain if full != plain and not is_ready(full) and is_ready(plain) else full


def suggestions() -> tuple[Suggestion, ...]:
    """Return the models of the list and others on this machine, those that are ready first."""
    is_here = {model.name: is_ready(model.name) for model in KNOWN}
    listed = {
        model.name: Suggestion(model.name, _label(model, is_here[model.name]), model.about)
        for model in KNOWN
    }
    ours = {name.lower() for name in listed}
    others = [
        Suggestion(name, f"{name} · ready", "Found on this machine.")
        for name in hub_model.ready_models(TEXT_FILES)
        if name.lower() not in ours
    ]
    here = [listed[name] for name, is_so in is_here.items() if is_so]
    absent = [listed[name] for name, is_so in is_here.items() if not is_so]
    return (*here, *others, *absent)


def _label(model: KnownModel, is_here: bool) -> str:
    state = "ready" if is_here else f"{model.mb:,} MB to download"
    return " · ".join((model.name.rpartition("/")[2], model.languages, f"{model.dim:,}-d", state))


def is_ready(name: str) -> bool:
    """Tell whether a model is on this machine."""
    if minilm.is_packaged(name):
        return not minilm.missing_packages()
    try:
        return hub_model.locate(hub_model.HubModel(name)) is not None
    except EmbedscopeError:
        return False
