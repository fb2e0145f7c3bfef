"""The words of the derivation language: one file a family, registered by being there."""
