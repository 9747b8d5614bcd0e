"""Turning text into vectors: the protocol, the built-in MiniLM, Ollama, and an in-memory one for tests."""
