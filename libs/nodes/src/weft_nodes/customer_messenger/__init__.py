"""Customer Messenger."""
