"""Columns of a domain in the making: coded texts and numbers with the fields they came from."""
