"""Journeys in a browser over the built app, and the launcher without one."""
