"""Documents, their files, pages and passages."""
