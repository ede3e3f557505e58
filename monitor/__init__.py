"""brand-monitor: watches networks and feeds for mentions of a brand and escalates discussions that turn bad."""

__version__ = "0.1.0"
