"""One file per embedding method behind one interface."""
