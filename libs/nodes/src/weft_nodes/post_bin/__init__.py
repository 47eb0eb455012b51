"""PostBin."""
