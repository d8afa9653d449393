"""Where errors turn into sentences: nobody ever sees a traceback."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from components.markdown import escaped
from core.errors import Cancelled, EmbedscopeError

_log = logging.getLogger("embedscope")


@contextmanager
def explained() -> Iterator[None]:
    """Show an error of the block as one sentence; what was not expected also goes to the log."""
    try:
        yield
    except EmbedscopeError as error:
        st.error(escaped(str(error)), icon=":material/error:")
    except Cancelled:
        st.info("Stopped.", icon=":material/stop_circle:")
    except MemoryError:
        st.error(
            "There is not enough memory for this. Use fewer rows or fewer dimensions.",
            icon=":material/memory:",
        )
    except Exception:
        reference = secrets.token_hex(4)
        _log.exception("unexpected error %s", reference)
        st.error(
            f"Something went wrong that should not have; your data is safe. The server's log has "
            f"the details under {reference}.",
            icon=":material/error:",
        )
