"""`kindling registry site`: static pages that show a built index, written beside it."""
