"""Statements: each run as what it is, and what is being evaluated for those that hold them."""
