"""Safety monitoring: a study's plan judged on records as they were entered, alerts that stay open, a page a run."""
