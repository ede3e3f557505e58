"""Messages for people: how they look, and how they reach Slack or the terminal."""
