"""Where the MACs of sealed blocks are kept beside the database, so that a cut tail is seen."""
