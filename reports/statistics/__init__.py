"""Estimates and exact tests for small trials: each returns a value, the name of its method, n and a warning."""
