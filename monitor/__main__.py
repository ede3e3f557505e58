"""`python -m monitor` is `brand-monitor`."""

from monitor.cli import main

main()
