"""Parquet by polars. Imports nothing."""
