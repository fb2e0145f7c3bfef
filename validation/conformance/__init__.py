"""Conformance of the SDTM datasets: our own rules, the user's CDISC CORE, and what a study explains."""
