"""Encrypted bytes of stored files, by opaque id. Knows no document, no user and no master key."""
