"""`python -m citizens sheet | folder`: pictures of people who do not exist, on disk."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import track

from citizens.sheet import contact_sheet, write_folder, write_sheet


def main() -> None:
    """Reads the command line and writes what it asks for."""
    arguments = _parser().parse_args()
    if arguments.command == "sheet":
        write_sheet(arguments.out, contact_sheet(arguments.people, arguments.portraits, seed=arguments.seed))
        return
    total = arguments.people * arguments.portraits
    paths = write_folder(arguments.out, arguments.people, arguments.portraits, seed=arguments.seed)
    for _ in track(paths, description="rendering", total=total):
        pass


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m citizens", description="Portraits of people who do not exist.")
    commands = parser.add_subparsers(dest="command", required=True)
    sheet = commands.add_parser("sheet", help="one picture with many people")
    sheet.add_argument("--out", type=Path, required=True, help="the picture to write (PNG or JPEG)")
    folder = commands.add_parser("folder", help="a folder a person, for bulk import and benchmarks")
    folder.add_argument("--out", type=Path, required=True, help="the folder to fill")
    for command, people, portraits in ((sheet, 24, 3), (folder, 100, 4)):
        command.add_argument("--people", type=int, default=people)
        command.add_argument("--portraits", type=int, default=portraits, help="portraits a person")
        command.add_argument("--seed", type=int, default=0, help="first identity's seed")
    return parser


if __name__ == "__main__":
    main()
