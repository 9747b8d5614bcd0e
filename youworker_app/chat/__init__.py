"""Conversations, messages and the runs that write answers."""
