"""A first mapping from a REDCap dictionary: what annotations and CDASH-like names say, the uncertain marked."""
