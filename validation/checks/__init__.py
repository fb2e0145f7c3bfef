"""A study's own checks of its raw data (checks.yaml): one file a family of kinds."""
