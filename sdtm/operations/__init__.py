"""The operations of the mapping language: one file a family of operations, registered by being there."""
