"""The HTML pages of what is validated: one frame, one style."""
