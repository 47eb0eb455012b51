"""No Operation."""
