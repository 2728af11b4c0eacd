"""`python -m houbao`."""

from houbao.cli import main

main()
