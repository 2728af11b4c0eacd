"""`python -m houbao`."""

from houbao.cli import main

if __name__ == "__main__":  # the processes beside a server import it too
    main()
