"""Mount a map: one heavy element that hardly changes, two light ones that steer it.

Coordinates, colours and highlights travel in elements of their own: a click costs a few hundred
bytes, another colouring a byte per point, and the points are sent once. In the page the three find
each other by the map's name.

Streamlit would not send unchanged points twice, but it would copy, serialise and hash them in
every rerun (50 ms at 100,000 points). So once a scene has been sent to a session, only its
signature is; a browser that does not hold it (the message was overtaken by another rerun) says so
and gets the points again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from components.embedding_map.messages import (
    DrawnItems,
    MapEvents,
    events_of,
    tell_clear,
    tell_click,
)
from components.embedding_map.static_files import (
    install_static_files,
    map_script_name,
    plotly_file_name,
    read_asset,
)
from core.errors import EmbedscopeError

__all__ = ["PARTS_HELD", "SCENES_HELD", "deliver", "library", "not_held", "preload_map"]

SCENES_HELD = 3  # scenes a browser keeps; as many as HELD in 90_map.js
PARTS_HELD = 12  # parts of linked scenes; as many as PARTS_HELD in 85_linked.js
_SESSIONS_KNOWN = 2_000
# (session, map, how many the browser keeps) -> signatures, the latest last
_sent: OrderedDict[tuple[str, str, int], list[str]] = OrderedDict()


# Small scripts that travel with the messages; the map's own is served from the static folder.
_LOADER = read_asset("00_loader.js")
_map = st.components.v2.component(
    "embedscope_map", js=_LOADER + read_asset("boot.js"), isolate_styles=False
)
_control = st.components.v2.component(
    "embedscope_map_control", js=read_asset("control.js"), isolate_styles=False
)
_preload = st.components.v2.component(
    "embedscope_map_preload", js=_LOADER + read_asset("preload.js"), isolate_styles=False
)


def deliver(
    scene: DrawnItems,
    key: str,
    scene_message: Callable[[], bytes],
    paint: bytes,
    look: bytes,
    on_click: Callable[[int], None] | None,
    on_clear: Callable[[], None] | None,
) -> MapEvents:
    """Mount the three elements of a map and return what the user did on it.

    Raises
    ------
    EmbedscopeError
        If the server does not serve its static folder, or it cannot be written.
    """
    _serve_static_files()
    with st.container(gap=None):
        # The light ones first: the map then finds its colours when it is drawn the first time.
        _control(key=f"{key}.paint", data=paint)
        _control(key=f"{key}.look", data=look)
        result = _map(
            key=key,
            data=scene_message(),
            on_clicked_change=partial(tell_click, key, scene.items, scene.drawn, on_click),
            on_cleared_change=partial(tell_clear, key, scene.items, on_clear),
            on_selected_change=_nothing,
            on_wanted_change=partial(_forget, _session(), key),
        )
    return events_of(scene, result)


def not_held(key: str, signatures: Iterable[str], held_at_most: int) -> list[str]:
    """Return which of the signatures this session has not been sent, and note that it is now.

    Parameters
    ----------
    key : str
        Name of the map.
    signatures : iterable of str
        What the map needs, in the order in which the browser notes it.
    held_at_most : int
        How many of them the browser keeps.
    """
    place = (_session(), key, held_at_most)
    held = _sent.setdefault(place, [])
    _sent.move_to_end(place)
    if len(_sent) > _SESSIONS_KNOWN:
        _sent.popitem(last=False)
    missing = []
    for signature in signatures:
        if signature in held:
            held.remove(signature)
        else:
            missing.append(signature)
        held.append(signature)
    del held[:-held_at_most]
    return missing


def preload_map() -> None:
    """Let the browser read the drawing library before there is a map (for the start page).

    Raises
    ------
    EmbedscopeError
        As :func:`deliver`.
    """
    _serve_static_files()
    _preload(key="embedscope_map_preload", data=library())


def library() -> dict[str, str]:
    """Return where the browser finds the drawing library and the map's script."""
    base_path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return {"plotly": plotly_file_name(), "script": map_script_name(), "basePath": base_path}


def _forget(session: str, key: str) -> None:
    """Send everything again: the browser does not hold what this map needs."""
    for held_at_most in (SCENES_HELD, PARTS_HELD):
        _sent.pop((session, key, held_at_most), None)


def _nothing() -> None:
    """Make an event known to Streamlit: it passes on only those that have a callback."""


def _serve_static_files() -> None:
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:  # a notebook or a bare import: nothing is drawn
        return
    if not st.get_option("server.enableStaticServing"):
        raise EmbedscopeError(
            "The map cannot load its drawing library: the server's static folder is switched off. "
            "Set server.enableStaticServing to true and start the app again."
        )
    _install_once(str(Path(context.main_script_path).parent))


@cache
def _install_once(folder: str) -> None:
    install_static_files(folder)


def _session() -> str:
    context = get_script_run_ctx(suppress_warning=True)
    return "" if context is None else context.session_id
