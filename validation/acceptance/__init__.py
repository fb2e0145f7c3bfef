"""What is expected of the final datasets, judged by Great Expectations."""
