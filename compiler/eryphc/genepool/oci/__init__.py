"""The client of OCI registries: manifests, blobs and tags by name, whatever is inside them."""
