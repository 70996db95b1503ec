"""The demonstration data and the demonstration model: scripts that make both from a seed.

`python -m catalog.demo.data` writes catalog/data, `python -m catalog.demo.train` writes
catalog/models/demo, `python -m catalog.demo.measure` prints the figures of its card.
"""
