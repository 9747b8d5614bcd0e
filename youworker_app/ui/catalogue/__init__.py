"""The words of the interface, one module a language: flat dicts from key to text. Nothing else."""
