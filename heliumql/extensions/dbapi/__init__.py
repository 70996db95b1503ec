"""DB-API 2.0 (PEP 249): what programs and libraries of other databases expect of a driver.

`heliumql.dbapi` has the public names. A connection of it is over one of HeliumQL's, a cursor holds
the rows of one statement.
"""
