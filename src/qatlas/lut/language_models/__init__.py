"""Language models whose linear layers multiply by table."""
