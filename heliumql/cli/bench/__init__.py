"""`heliumql bench`.

`command.py` finds the suite or study that is named. Its arguments have a file of their own;
`options.py` has those that several share.
"""
