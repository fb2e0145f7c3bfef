"""Checks between the stages: the query listing of raw data, the books, and the gates over the datasets."""
