"""What nodes share that connect to servers."""
