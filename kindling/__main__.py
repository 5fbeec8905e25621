"""The command `kindling`: the fast path, which imports no click, and the way into everything else."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        from kindling import __version__

        sys.stdout.write(f"kindling {__version__}\n")
        sys.exit(0)
    from kindling.cli.fast import fast_path

    code = fast_path(arguments)
    if code is None:
        from kindling.cli.main import run_cli

        code = run_cli(arguments)
    sys.exit(code)


if __name__ == "__main__":
    main()
