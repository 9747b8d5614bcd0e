"""The way of a file through the stages to searchable passages."""
