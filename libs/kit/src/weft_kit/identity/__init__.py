"""Who calls, what they may, and the secrets of the installation."""
