"""The measurements run; what they measure is not judged here."""
