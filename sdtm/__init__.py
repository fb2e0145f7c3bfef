"""Tabulation: the mapping language, its operations and the domain engine."""
