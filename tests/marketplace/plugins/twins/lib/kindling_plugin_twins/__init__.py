"""Two capabilities in one distribution."""
