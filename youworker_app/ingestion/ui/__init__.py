"""What of ingestion a person can steer from the documents' screen."""
