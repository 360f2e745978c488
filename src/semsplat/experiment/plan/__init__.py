"""What a suite on real data takes: files and weights that are missing, GPU hours, disk."""
