"""``python -m aebench``."""

from aebench.cli import main

if __name__ == "__main__":
    main()
