"""Scheduling: which calls run where and in which order, so that the engines' KV caches are hit.

Pure functions of the calls and the workers; `physical/` runs what they say.
"""
