"""A table before it has a file format."""
