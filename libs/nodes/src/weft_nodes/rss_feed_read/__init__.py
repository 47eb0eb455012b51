"""RSS Read."""
