"""What several output templates share."""
