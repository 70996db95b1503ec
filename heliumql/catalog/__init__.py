"""The catalog: models, prompts, views and macros with calls, and the settings `llm_*`."""

from heliumql.catalog.catalog import Catalog, Entry, Model
from heliumql.catalog.settings import CHOICES, SETTINGS, Settings

__all__ = ["CHOICES", "SETTINGS", "Catalog", "Entry", "Model", "Settings"]
