"""HeliumQL over Arrow Flight: a server for many clients, and the connection of a client to it.

A client opens a *session* with the action `session`, whose stream stays open as long as it is
there. Statements go by DoExchange: the descriptor holds a `protocol.Command`, the client's stream
one row of parameters. The server's stream holds messages in JSON (`protocol`), and the rows:

    {"progress": ..} ..                             while the statement runs, for those who want it
    {"rows": {"statement": .., "last": ..}}         the first result; its schema and batches follow
    {"end": {"more": true, "stats": ..}}            ask for the next result with `next`
    {"end": {"more": false, ..}} or {"error": ..}   the text is through, or stopped here
"""
