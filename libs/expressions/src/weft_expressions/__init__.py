"""Expressions and Code scripts: parsing, native evaluation, and V8 in jailed processes."""
