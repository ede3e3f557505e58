"""Rule tests: their language, and how results are told. Pure; they are played by `monitor.play`."""
