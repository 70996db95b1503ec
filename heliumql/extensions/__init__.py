"""Ways into HeliumQL from elsewhere: other programs, other libraries. Each is imported on use."""
