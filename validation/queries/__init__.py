"""The query listing: what the sites are asked."""
