"""`python -m flows` is `crlm`."""

from flows.cli import main

main()
