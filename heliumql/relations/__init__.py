"""Relations: rows as programs hold them, what is made of them, and how they are shown."""
