"""Sign-in at an OpenID provider, by discovery: the way there, and the proof that somebody brings back."""
