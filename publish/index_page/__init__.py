"""The first page of a package."""
