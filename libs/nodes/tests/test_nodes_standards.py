"""The SDK's standards over all installed nodes."""

from weft_node_sdk.testing.standards import *  # noqa: F403 - pytest collects what it names
