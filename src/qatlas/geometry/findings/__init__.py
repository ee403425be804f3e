"""What the chapter found, one topic a module: tables to named values and claims."""
