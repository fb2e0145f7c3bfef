"""Outputs as RTF documents."""
