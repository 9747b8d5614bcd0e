"""One folder a foreign system: a Protocol, the real one(s), an in-memory one for tests."""
