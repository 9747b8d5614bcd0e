"""Shared look: shell, theme, catalogue, base state, guard, components."""
