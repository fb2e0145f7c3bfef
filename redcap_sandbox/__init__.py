"""A REDCap-compatible API over an exported project, and the generator of synthetic records."""
