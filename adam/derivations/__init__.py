"""The derivations: one file a family, registered by being there."""
