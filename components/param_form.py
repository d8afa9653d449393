"""A form made from the declarations of a method's settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from components import session
from components.earlier_run import earlier_run
from core.modality import Modality
from core.params import Params, Spec

_LABELS = {
    "dim": "Dimensions",
    "p": "p",
    "q": "q",
    "n_topics": "Topics",
    "min_df": "In at least so many texts",
    "max_df": "In at most this share of texts",
    "max_features": "Most terms kept",
    "ngrams": "Longest phrase",
    "min_count": "Least occurrences",
    "words": "Vectors of words too",
    "documents": "Texts from words",
    "x_max": "x max",
    "url": "Address",
    "key_variable": "Variable that holds the key",
    "price": "Price per million tokens",
    "max_chars": "Longest text in characters",
    "timeout_s": "Seconds to wait for an answer",
    "vectors": "Word vectors",
    "max_length": "Longest text in tokens",
    "prompts": "Prompts",
    "output": "Numbers of the vectors",
    "run": "Earlier run",
    "start": "Texts start as",
    "train": "What is trained of it",
    "images": "Images start as",
    "shared": "One tower for both sides",
    "test": "Test texts",
    "held_out": "Share held out",
    "last_layers": "Last layers of MiniLM",
    "new_layers": "Layers from scratch",
    "new_width": "Width from scratch",
    "pretraining_epochs": "Epochs of pretraining",
    "least_weight": "Least weight that counts",
    "item_columns": "Learn from columns of items too",
    "refit": "Train again on everything",
    "baselines": "Compare with implicit ALS",
    "softmax": "Compared in each step",
}


def setting_label(name: str) -> str:
    """Return what a setting is called on screen."""
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def param_form(
    params_class: type[Params],
    *,
    key: str,
    modality: Modality | None = None,
    sides: Sequence[Modality | None] | None = None,
    own: Mapping[str, Callable[[str], Any]] | None = None,
) -> dict[str, Any]:
    """Draw one widget per setting, details folded away, and return the values by name.

    Parameters
    ----------
    params_class : type of Params
    key : str
        Prefix of the widget keys; settings are kept per prefix while the tab is open.
    modality : Modality, optional
        Leaves out settings that do not matter for this kind of data.
    sides : two of Modality or None, optional
        What the two sides of pairs are: settings that matter for neither are left out too.
    own : mapping of str to callable, optional
        Settings that depend on the data: each takes ``key``, draws its field and returns the value.
    """
    own = own or {}

    def field(name: str, spec: Spec) -> Any:
        return own[name](key) if name in own else _widget(name, spec, key, modality)

    declared = params_class.specs()
    specs = {n: s for n, s in declared.items() if s.concerns(modality, sides)}
    values = {n: field(n, s) for n, s in specs.items() if not s.advanced}
    details = {n: s for n, s in specs.items() if s.advanced}
    if details:
        with st.expander("Details", icon=":material/tune:"):
            values |= {n: field(n, s) for n, s in details.items()}
    return {name: values[name] for name in specs}


def _widget(name: str, spec: Spec, key: str, modality: Modality | None) -> Any:
    label = setting_label(name)
    common: dict[str, Any] = {
        "help": spec.help,
        "key": f"{key}.{name}",
        "persist_state": "session",
    }
    if spec.kind == "flag":
        return st.toggle(label, value=spec.default, **common)
    if spec.kind == "text" and spec.suggestions is not None:
        return _suggested(label, spec, common)
    if spec.kind == "text":
        empty = f"automatic: {spec.automatic}" if spec.automatic else None
        return st.text_input(label, value=spec.default, placeholder=empty, **common)
    if spec.kind == "choice":
        return _choice(label, spec, common)
    if spec.kind == "dataset":
        return _dataset(label, spec, common)
    if spec.kind == "run":
        return earlier_run(label, modality, common)
    cast = int if spec.kind == "integer" else float
    value = st.number_input(
        label,
        min_value=None if spec.low is None else cast(spec.low),
        max_value=None if spec.high is None else cast(spec.high),
        value=None if spec.automatic else cast(spec.default),
        placeholder=f"automatic: {spec.automatic}" if spec.automatic else None,
        step=cast(spec.step) if spec.step else None,
        format="%d" if spec.kind == "integer" else "%g",
        **common,
    )
    return cast(spec.default) if value is None else value


def _suggested(label: str, spec: Spec, common: dict[str, Any]) -> str:
    """Draw a list that also takes what is typed, and a sentence on what is chosen."""
    assert spec.suggestions is not None  # noqa: S101 -- told to the type checker
    offered = {each.value: each for each in spec.suggestions()}
    chosen = st.selectbox(
        label,
        list(offered),
        index=list(offered).index(spec.default) if spec.default in offered else None,
        format_func=lambda value: offered[value].label if value in offered else value,
        accept_new_options=True,
        placeholder="Choose one, or type a name",
        **common,
    )
    value = (chosen or spec.default).strip()
    if value in offered and offered[value].about:
        st.caption(offered[value].about)
    return value


def _dataset(label: str, spec: Spec, common: dict[str, Any]) -> str:
    """Draw the workspace's datasets of one kind, the newest first; return the chosen id."""
    found = [info for info in session.workspace().datasets() if info.modality == spec.of]
    if spec.is_optional:  # what is trained on cannot test
        found = [info for info in found if info.id != session.recall("dataset")]
    if not found and spec.is_optional:
        return ""
    if not found:
        st.info(
            f"There is no dataset of {spec.of} in this workspace yet. {spec.help} "
            "Load one, then come back to these texts.",
            icon=":material/upload_file:",
        )
        st.page_link("pages/begin/data.py", label="Load a file", icon=":material/arrow_forward:")
        return ""
    names = {info.id: f"{info.name} · {info.n:,} {spec.of}" for info in reversed(found)}
    common["key"] += f".{found[-1].id[:8]}.{len(found)}"  # a new file is offered at once
    chosen = st.selectbox(
        label,
        list(names),
        index=None if spec.is_optional else 0,
        placeholder="none",
        format_func=names.__getitem__,
        **common,
    )
    return chosen or ""


def _choice(label: str, spec: Spec, common: dict[str, Any]) -> str:
    shown = dict(zip(spec.options, spec.labels or spec.options, strict=True))
    if len(spec.options) <= 4 and sum(map(len, shown.values())) <= 40:
        chosen = st.segmented_control(
            label,
            spec.options,
            default=spec.default,
            required=True,
            format_func=shown.__getitem__,
            **common,
        )
    else:
        chosen = st.selectbox(
            label,
            spec.options,
            index=spec.options.index(spec.default),
            format_func=shown.__getitem__,
            **common,
        )
    return chosen or str(spec.default)
