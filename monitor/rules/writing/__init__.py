"""A new rule from a few answers. Pure."""
