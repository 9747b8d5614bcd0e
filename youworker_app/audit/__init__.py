"""The record of who did what; rows are written in the transaction of what they tell."""
