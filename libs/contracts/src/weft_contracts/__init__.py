"""Everything that crosses from one Weft service to another: messages, topics, errors, gRPC stubs. No logic."""
