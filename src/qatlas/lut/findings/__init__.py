"""What the chapter found, one topic a module."""
