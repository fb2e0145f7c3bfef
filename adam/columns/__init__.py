"""Columns as derivations see them, grouped, ordered and looked up as a whole."""
