"""Fixtures that every suite may use."""

pytest_plugins = ["weft_kit.testing.fixtures"]
