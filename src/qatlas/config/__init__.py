"""The only description of the configuration: keys, types, defaults, meanings."""
