"""People, sign-in, login sessions and API keys."""
