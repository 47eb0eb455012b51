"""What every Weft service needs, one folder each. Ports first; adapters are named technology + port."""
