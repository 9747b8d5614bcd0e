"""The screens of documents: adding, list, viewer."""
