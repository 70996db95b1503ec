"""The suites on a machine with a GPU: a large model without weights, and how it is loaded."""
