"""The screens of chat: conversations, messages, sources."""
