"""What nodes share that send messages."""
