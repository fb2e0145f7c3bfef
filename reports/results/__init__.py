"""The results data: what outputs are computed from, and one row a statistic."""
