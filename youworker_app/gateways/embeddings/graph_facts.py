"""What the built-in model's graph is, for those who use it without being able to build it: building loads a large library."""

# Part of the cached file's name: raise it whenever the graph or its quantisation changes.
GRAPH_VERSION = 1

DIMENSION = 384
