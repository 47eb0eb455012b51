"""TOTP."""
