"""What the subcommands of `weft` do; each module is imported when its command runs."""
