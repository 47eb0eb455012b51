"""Loop Over Items."""
