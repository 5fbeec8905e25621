"""The flights example: New York departures of 2013, from CSV files to gold tables."""
