"""Our own conformance rules: one file a subject, registered by being there."""
