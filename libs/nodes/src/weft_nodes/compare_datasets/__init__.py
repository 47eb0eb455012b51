"""Compare Datasets."""
