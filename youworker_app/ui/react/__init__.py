"""The few wrapped React components; their sources lie in assets/react."""
