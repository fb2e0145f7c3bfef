"""Pictures: a scene of lines, areas, marks and texts, written as SVG and as PNG from the same list."""
