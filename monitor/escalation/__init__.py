"""Decisions about escalations and their messages. Pure: no clock, no I/O, no SQL."""
