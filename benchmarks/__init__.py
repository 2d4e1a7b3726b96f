"""What aebench costs: ``python -m benchmarks`` measures it all, ``python -m benchmarks.NAME`` one part of it."""
