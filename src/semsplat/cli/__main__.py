"""``python -m semsplat.cli``: the program ``semsplat``."""

from semsplat.cli import main

if __name__ == "__main__":
    main()
