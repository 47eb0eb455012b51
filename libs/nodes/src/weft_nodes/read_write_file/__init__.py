"""Read/Write Files from Disk."""
