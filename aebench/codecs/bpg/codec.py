"""The codec ``bpg``."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pillow_heif

from aebench.codecs.base import Codec, Rgb, parameter
from aebench.codecs.bpg.decoder import decode
from aebench.codecs.bpg.encoder import encode
from aebench.errors import SettingError


@dataclass(frozen=True)
class Bpg(Codec):
    """BPG, Better Portable Graphics: an HEVC intra picture in a header of a few bytes.

    Files are those of libbpg: bpgdec decodes them to the same pixels. x265 codes them with settings tuned for PSNR.
    """

    name = "bpg"
    sweep = "qp=17..47:3"
    cost = 1.2

    qp: int = parameter(26, low=0, high=51, help="HEVC quantiser; bpgenc's -q less 3, so the default is its own (29)")
    chroma: str = parameter("444", choices=("444", "420", "422", "grey"), help="chroma subsampling")
    depth: int = parameter(8, choices=(8, 10), help="bits per sample; 10 with chroma 444 or grey only")
    lossless: bool = parameter(False, help="keep YCbCr exactly, whatever qp")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.depth == 10 and self.chroma in ("420", "422"):
            raise SettingError(f"{self.name}[depth=10] takes chroma=444 or chroma=grey, not chroma={self.chroma}")

    def encode(self, rgb: Rgb) -> bytes:
        return encode(rgb, qp=self.qp, chroma=self.chroma, depth=self.depth, lossless=self.lossless)

    def decode(self, data: bytes) -> Rgb:
        return decode(data)

    def version(self) -> str:
        info = pillow_heif.libheif_info()
        x265 = re.search(r"\((.*)\)", info["HEIF"])
        libde265 = re.search(r"[\d.]+$", info["decoders"].get("libde265", ""))
        return (
            f"pillow-heif {pillow_heif.__version__}, libheif {info['libheif']}, "
            f"x265 {x265[1] if x265 else 'none'}, libde265 {libde265[0] if libde265 else 'none'}"
        )
