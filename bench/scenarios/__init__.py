"""One module a group of figures; each has `measure(bench)`, which yields them as it goes: one that fails keeps those before."""
