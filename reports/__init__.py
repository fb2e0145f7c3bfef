"""Results data, tables, figures and pages, declared by a study's ``reports.yaml``."""
