"""What HeliumQL brings along: demonstration data, the demonstration model, and their makers."""
