"""The command `daylight`. typer and rich are imported nowhere else."""
