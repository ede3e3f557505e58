"""The rules: what they say (`rule`), how files become them (`language`, `load`), and what they decide (`evaluate`)."""
