"""`python -m cli`."""

from daylight_launcher import main

main()
