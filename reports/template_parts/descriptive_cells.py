"""The cells in which descriptive statistics are printed, the same on every table."""

CELLS = (("n", "n"), ("Mean (SD)", "mean sd"), ("Median", "median"), ("Q1, Q3", "q1 q3"), ("Min, max", "min max"))
