"""What the dictionary's schemas find in the records of an export."""
