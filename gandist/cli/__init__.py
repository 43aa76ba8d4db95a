"""The command line: parse, call, print. What is slow to import is imported by the command that needs it."""

# Commands stand in the help in the order in which these modules add them.
from gandist.cli import run, data, cluster, look, serve, evaluate, export, sample, clean, tools  # isort: skip  # noqa: F401
from gandist.cli.application import app, main

__all__ = ["app", "main"]
