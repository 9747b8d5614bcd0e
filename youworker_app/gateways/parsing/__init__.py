"""Foreign files become text with places, and page pictures. Knows no document row, no user and no storage."""
