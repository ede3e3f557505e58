"""A drill: a scripted crisis that plays through the live rules, and the figures of how the team faced it."""
