"""Binding: from core SQL to a bound query whose calls can be deferred."""
