"""define.html: the page of a define.xml, made from the document itself, of whoever wrote it."""
