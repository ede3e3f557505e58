"""Servers and sources that ship with the tests: real HTTP on loopback, able to misbehave."""
