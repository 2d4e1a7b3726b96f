"""A program for tests of the codec ``command``: quantised pixels, deflated. It needs nothing but Python.

ppm_program.py encode STEP IMAGE.ppm CODED
ppm_program.py decode CODED IMAGE.ppm
"""

import sys
import zlib
from pathlib import Path

source, target = map(Path, sys.argv[-2:])
if sys.argv[1] == "encode":
    step = int(sys.argv[2])
    kind, size, most, samples = source.read_bytes().split(b"\n", 3)
    levels = bytes(min(value // step * step + step // 2, 255) for value in range(256))
    target.write_bytes(zlib.compress(b"\n".join([kind, size, most, samples.translate(levels)])))
else:
    target.write_bytes(zlib.decompress(source.read_bytes()))
