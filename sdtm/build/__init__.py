"""From records and mapping to finished datasets, with their lineage and what is in none of them."""
