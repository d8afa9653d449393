"""Orchestration without UI: jobs, the store, the catalog, one user's workspace."""
