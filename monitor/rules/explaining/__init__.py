"""Why a rule did or did not alert, in sentences. Pure; `monitor.explain` brings what is stored."""
