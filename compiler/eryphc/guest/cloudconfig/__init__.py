"""Cloud-config texts: read as a guest reads them, merged, checked and written down."""
