"""The very first visit of a server, which Streamlit greets wrongly when it is a deep link.

Until ``st.navigation`` has been called once in a process, Streamlit takes a folder named pages/
for its old style of multipage app and tells the visitor of /map "Page not found", although the
page then opens. The notice is closed in the browser; a page that really does not exist keeps its
notice, since by then navigation has been called.
"""

from __future__ import annotations

import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

_CLOSE = """<script>
(() => {
  let tries = 0;
  const timer = setInterval(() => {
    const dialog = document.querySelector('[role="dialog"]');
    if (dialog && dialog.innerText.includes("Page not found")) {
      dialog.querySelector("button")?.click();
      clearInterval(timer);
    } else if (++tries > 40) clearInterval(timer);
  }, 50);
})();
</script>"""


def is_first_visit() -> bool:
    """Tell whether this run began before navigation was known; ask before ``st.navigation``."""
    return bool(PagesManager.uses_pages_directory)


def close_wrong_notice() -> None:
    """Close the "Page not found" notice of a first visit."""
    st.html(_CLOSE, unsafe_allow_javascript=True)
