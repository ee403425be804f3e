"""The shape of the error in the layers of trained models, and what can be corrected."""
