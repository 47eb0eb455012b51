"""Split Out."""
