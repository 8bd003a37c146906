"""`python -m siuo_async`: the command line, where the script `siuo` is not on the path."""

from siuo_async.cli import main

if __name__ == "__main__":
    main()
