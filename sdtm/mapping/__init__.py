"""A study's mapping files, read and checked without any record."""
