"""The documentation as pages: ``python -m docs.site`` builds them from the files in docs/ and from the code."""
