"""Checks between the stages: the query listing of raw data, the reconciliation, and the checks of the datasets."""
