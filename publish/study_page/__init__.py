"""The study's pages in a package: the first page, and the records behind every number, down to the form."""
