"""Binding: from core SQL to a bound query whose calls can be deferred."""

from heliumql.binder.bind import (
    Bound,
    Parameters,
    bind,
    bind_error,
    column_types,
    estimated_rows,
    hint_for_function,
    is_users_mistake,
    printed,
    still_binds,
    without_excerpt,
)
from heliumql.binder.carry import carry
from heliumql.binder.cuts import Carried, Cut, Unsupported
from heliumql.binder.volatile import Once, evaluated_once, is_volatile

__all__ = [
    "Bound",
    "Carried",
    "Cut",
    "Once",
    "Parameters",
    "Unsupported",
    "bind",
    "bind_error",
    "carry",
    "column_types",
    "estimated_rows",
    "evaluated_once",
    "hint_for_function",
    "is_users_mistake",
    "is_volatile",
    "printed",
    "still_binds",
    "without_excerpt",
]
