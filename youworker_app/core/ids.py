"""Identifiers: opaque strings that tell nothing and cannot be guessed."""

import hashlib
import secrets
import uuid


def new_id() -> str:
    """A random UUID (version 4, 36 characters)."""
    return str(uuid.uuid4())


def new_token(n_bytes: int = 32) -> str:
    """A URL-safe secret of `n_bytes` random bytes."""
    return secrets.token_urlsafe(n_bytes)


def token_hash(token: str) -> str:
    """SHA-256 (hex) of a high-entropy token: what the database keeps instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()
