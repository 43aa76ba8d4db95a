"""The command ``gandist``, and ``python -m gandist``: first the process is made gandist's own."""

from gandist import environment


def main() -> None:
    """Run the command line."""
    environment.take_over()
    from gandist import cli

    cli.main()


if __name__ == "__main__":
    main()
