"""Rules: what they say (`rule`), how a folder of files becomes them (`load`), and what they decide (`windows`)."""
