"""Plotly builders for the small charts, and the palettes; no streamlit here."""
