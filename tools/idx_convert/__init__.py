"""The subcommands of tools/make_idx, one module each, and what they share."""
