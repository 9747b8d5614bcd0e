"""The server killed at any moment: what it acknowledged stays, what it had begun goes on."""
