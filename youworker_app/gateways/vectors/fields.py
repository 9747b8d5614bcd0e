"""What a point is made of in every store that Qdrant runs: names of its vectors and of its payload's fields.

Imports nothing, since the process of the embedded index is to stay small.
"""

DENSE, SPARSE = "dense", "bm25"
"""The names of the two vectors of a point."""

VISIBILITY, DOCUMENT = "vis", "doc"
"""The two fields of a point's payload; there are no others."""

SPARE_VALUES = 10_000
"""A count by a field's values asks for as many as there are points and some more: a point can have several keywords."""
