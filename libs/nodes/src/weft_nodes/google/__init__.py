"""What nodes of Google's services share."""
