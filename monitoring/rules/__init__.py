"""The kinds of rules, one module a family; each registers what it declares by being here."""
