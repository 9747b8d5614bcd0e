"""Shared REST: app factory, current actor, error shape, limits."""
