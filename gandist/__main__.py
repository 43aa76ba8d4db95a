"""``python -m gandist``: the command line."""

from gandist.cli import main

main()
