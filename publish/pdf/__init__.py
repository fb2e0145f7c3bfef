"""PDF documents: fonts, and text that is broken into lines."""
