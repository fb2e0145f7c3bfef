"""Analysis datasets: the derivation language and the datasets it declares."""
