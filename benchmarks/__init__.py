"""Benchmarks: named suites of instances, solved one process each, beside what others reach on them."""
