"""The shared components: no screen makes its own button. They know tokens and words, no domain."""
