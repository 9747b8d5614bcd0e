"""Finding the passages that answer, within what the asker may see."""
