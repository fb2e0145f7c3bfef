"""One folder a study: data only."""
