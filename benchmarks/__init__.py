"""What must stay fast, against what a user would pick instead. Programs, not tests."""
