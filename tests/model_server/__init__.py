"""Ollama's protocol over a real model, for the tests: `python -m tests.model_server`."""
