"""Number formats: the values of small data types, and the scales their blocks share."""
