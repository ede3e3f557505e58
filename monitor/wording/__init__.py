"""The language in which people are told something: texts, numbers, lengths of time and moments, as they say them."""
