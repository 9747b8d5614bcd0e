"""Language models that answer: the protocol, Ollama, and a scripted one for tests."""
