"""Out: transport files, parquet, lineage, the manifest and the package that holds them."""
