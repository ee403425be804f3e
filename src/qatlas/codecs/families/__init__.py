"""Every quantizer: one module a codec, which goes by the module's name."""
