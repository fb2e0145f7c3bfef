"""The annotated case report form: every form as REDCap shows it, with what becomes of each field."""
