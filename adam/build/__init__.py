"""From SDTM to the analysis datasets that a study declares."""
