"""One module a file format: each says what it recognises and turns it into `Tables`."""
