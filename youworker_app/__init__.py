"""YouWorker: an on-premise AI workplace for teams."""
