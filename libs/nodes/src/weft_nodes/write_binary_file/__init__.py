"""Write Binary File."""
