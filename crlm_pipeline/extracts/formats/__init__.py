"""One declaration per source format."""
