"""Item Lists."""
