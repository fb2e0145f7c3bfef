"""Gates over finished datasets: their own metadata, and the reconciliation with the records."""
