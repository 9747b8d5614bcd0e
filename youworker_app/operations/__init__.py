"""Health and readiness of the installation."""
