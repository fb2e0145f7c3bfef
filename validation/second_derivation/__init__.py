"""The second derivation: a study's key endpoints computed again in SQL from SDTM, and compared with its results."""
