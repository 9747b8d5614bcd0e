"""Turns a question and its evidence into a streamed answer."""
