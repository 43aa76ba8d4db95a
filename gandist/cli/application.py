"""The application that commands are added to, and how it ends."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer
from typer.exceptions import TyperException

from gandist.console import output
from gandist.errors import GandistError
from gandist.version import VERSION

app = typer.Typer(
    name="gandist",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def main() -> None:
    """Run the command line. Errors are plain lines on stderr; the exit code is theirs."""
    _open_standard_streams()
    output.watch()
    try:
        code = app(prog_name="gandist", standalone_mode=False)
    except GandistError as error:
        complain(str(error))
        code = error.exit_code
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        complain("no space left on a device that is written to: the output's, or that of temporary files")
        code = 1
    except TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "gandist"
        complain(f"{command}: {' '.join(error.format_message().split())} (see {command} --help)")
        code = error.exit_code
    sys.exit(code)


def _open_standard_streams() -> None:
    """Make what is closed from the beginning (``gandist ... >&-``) go nowhere.

    Else the next file that is opened would take the number of a standard stream, and what a library writes to
    that would end up in it.
    """
    for descriptor, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(descriptor)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
            os.set_inheritable(nowhere, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


@app.callback(invoke_without_command=True)
def _gandist(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Train small-image GANs as jobs of configurations x seeds, and get one honest report.

    \b
    gandist validate jobs/quickstart.yaml    what it would run, and what that costs
    gandist run jobs/quickstart.yaml         run it; again to continue it
    gandist status runs/quickstart           how each trial stands
    """
    if version:
        typer.echo(VERSION)
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def complain(text: str) -> None:
    """To stderr as it is: a path may hold what looks like markup."""
    typer.echo(text, err=True)
