"""`python -m idverify …` is the `idverify …` command, for places where it is not installed as one."""

from idverify.cli import main

main()
