"""One module a group of figures; each has `measure(bench)`, which answers with its figures."""
