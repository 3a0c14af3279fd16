"""The parts of the browser app's page, one module each: they describe the page and compute nothing."""
