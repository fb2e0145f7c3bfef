"""A REDCap project's XML: CDISC ODM 1.3.1 with REDCap's extensions."""
