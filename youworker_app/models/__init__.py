"""Every table, one module an aggregate; imported by repositories and access only."""
