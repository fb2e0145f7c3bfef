"""Reviewer's guides of the tabulations and the analysis datasets, in the structure of the PHUSE templates."""
