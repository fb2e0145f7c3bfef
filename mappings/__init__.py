"""One folder a study: data only."""

DEMO = "spms_aza"
"""The study that ``redcap-cdisc demo`` shows; its patients are invented."""
