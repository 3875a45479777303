"""Measures every line of the table of promises beside its peers, in one run."""
