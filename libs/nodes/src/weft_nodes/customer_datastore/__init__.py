"""Customer Datastore."""
