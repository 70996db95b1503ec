"""What runs of the benchmark measured: rows, and the files that keep them."""
