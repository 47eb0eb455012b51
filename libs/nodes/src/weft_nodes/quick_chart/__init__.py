"""QuickChart."""
