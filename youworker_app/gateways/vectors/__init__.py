"""Where passages' vectors are kept and searched: one Protocol; embedded, on a Qdrant server, or in memory."""
