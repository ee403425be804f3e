"""Values of the chapter's summary, one topic a module: from tables to named values."""
