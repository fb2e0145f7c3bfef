"""What a domain has beyond its mapping: identity, visits, elements, study days, reference ranges, trial design."""
