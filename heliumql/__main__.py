"""`python -m heliumql` is `heliumql`."""

import sys

from heliumql.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
