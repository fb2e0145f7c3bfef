"""The speed of whole builds and commands, with plain ways to read and write the same data. Programs, not tests."""
