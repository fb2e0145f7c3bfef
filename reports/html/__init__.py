"""Outputs as self-contained HTML pages."""
