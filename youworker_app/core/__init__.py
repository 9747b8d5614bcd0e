"""Knows no domain: settings, errors, database, jobs, events, keys, telemetry, clock, ids, paging."""
