"""The access module: who asks, what is visible, what is allowed. Every read and write is asked here."""
