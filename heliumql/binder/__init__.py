"""Binding: from core SQL to a bound query whose calls can be deferred."""

from heliumql.binder.bind import (
    Bound,
    Parameters,
    bind,
    bind_error,
    is_users_mistake,
    printed,
    without_excerpt,
)
from heliumql.binder.carry import carry
from heliumql.binder.cuts import Carried, Cut, Unsupported

__all__ = [
    "Bound",
    "Carried",
    "Cut",
    "Parameters",
    "Unsupported",
    "bind",
    "bind_error",
    "carry",
    "is_users_mistake",
    "printed",
    "without_excerpt",
]
