"""Execute Command."""
