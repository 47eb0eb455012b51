"""OpenThesaurus."""
