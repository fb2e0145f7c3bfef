"""The kinds of study checks: one file a family, registered by being there."""
