"""The grammar of the derivation language: parameters, conditions, and what a derivation is."""
