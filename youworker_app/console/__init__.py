"""What commands share: the way to the installation, signing in, words on a terminal. Knows no domain."""
