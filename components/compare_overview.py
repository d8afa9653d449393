"""Overview."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from workspace.stored_comparison import StoredComparison


def overview(stored: StoredComparison) -> None:
    """Draw how far every two embeddings agree."""
    a = stored.comparison.overlap
    st.dataframe(pd.DataFrame(a.values, index=a.names, columns=a.names))
