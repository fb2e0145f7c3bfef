"""The results data in the exchange formats of CDISC."""
