"""A Qdrant server for tests: its REST wire, as much as the product uses, over the client library's local mode."""
