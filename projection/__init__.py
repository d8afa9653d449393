"""Layouts in two or three dimensions, and how far each may be trusted."""
