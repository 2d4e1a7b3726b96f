"""BPG's shortened sequence parameter set, ``hevc_header()`` of the BPG specification (0.9.5, clause 3.1).

A BPG file holds no VPS and no SPS. `Sps` is what remains of them; everything else has the values that clause 3.2
lists, and `aebench.codecs.bpg.parameter_sets` writes it out. Field names and limits are those of ITU-T H.265
(v4, 12/2016), clauses 7.3.2 and 7.4.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aebench.codecs.bpg.bits import BitReader, BitWriter, read_ue7, write_ue7
from aebench.errors import CodecError

MOST_HEADER_BYTES: Final = 64
"""A header takes 4 to 8 bytes; a longer one is damaged."""

_RANGE_FLAGS: Final = (
    "transform_skip_rotation_enabled_flag",
    "transform_skip_context_enabled_flag",
    "implicit_rdpcm_enabled_flag",
    "explicit_rdpcm_enabled_flag",
    "extended_precision_processing_flag",
    "intra_smoothing_disabled_flag",
    "high_precision_offsets_enabled_flag",
    "persistent_rice_adaptation_enabled_flag",
    "cabac_bypass_alignment_enabled_flag",
)
_FORBIDDEN_RANGE_FLAGS: Final = ("extended_precision_processing_flag", "cabac_bypass_alignment_enabled_flag")


@dataclass(frozen=True)
class Pcm:
    """The fields of the SPS that stand after ``pcm_enabled_flag``; depths in bits, sizes as base-2 logarithms."""

    depth_luma: int
    depth_chroma: int
    log2_min_size: int
    log2_max_size: int
    loop_filter_disabled: bool


@dataclass(frozen=True)
class Sps:
    """``hevc_header()``: the fields of an SPS that a BPG file carries; sizes as base-2 logarithms of luma samples."""

    log2_min_coding_block: int
    log2_coding_tree_block: int
    log2_min_transform: int
    log2_max_transform: int
    max_transform_depth_intra: int
    sample_adaptive_offset: bool = False
    pcm: Pcm | None = None
    strong_intra_smoothing: bool = False
    range_extension: tuple[bool, ...] | None = None

    def coded_size(self, width: int, height: int) -> tuple[int, int]:
        """Round a picture's width and height up to whole coding blocks, as BPG does (clause 3.2)."""
        block = 1 << self.log2_min_coding_block
        return -(-width // block) * block, -(-height // block) * block


def read_hevc_header(data: bytes, position: int, depth: int) -> tuple[Sps, int]:
    """Read and check ``hevc_header()`` of a picture of ``depth`` bits.

    Returns
    -------
    sps : Sps
    position : int
        Index of the byte after it.

    Raises
    ------
    CodecError
        If it is cut off, longer than its declared length, or holds a value that H.265 or BPG forbids.
    """
    start = position
    length, position = read_ue7(data, position, "hevc_header_length", MOST_HEADER_BYTES)
    if position + length > len(data):
        raise CodecError(
            f"BPG: hevc_header at byte {start} should hold {length} bytes, {len(data) - position} are left"
        )
    bits = BitReader(data[position : position + length], f"BPG: hevc_header at byte {start}")
    sizes = read_block_sizes(bits)
    sps = Sps(
        *sizes,
        max_transform_depth_intra=bits.ue("max_transform_hierarchy_depth_intra", sizes[1] - sizes[2]),
        sample_adaptive_offset=bits.flag(),
        pcm=read_pcm(bits, depth, sizes),
        strong_intra_smoothing=bits.flag(),
        range_extension=read_sps_extension(bits),
    )
    if bits.left > 7 or bits.u(bits.left):
        raise CodecError(f"BPG: hevc_header at byte {start} does not end where its length says")
    return sps, position + length


def read_block_sizes(bits: BitReader) -> tuple[int, int, int, int]:
    """Read the sizes of coding and transform blocks, smallest and largest, as base-2 logarithms."""
    coding = bits.ue("log2_min_luma_coding_block_size_minus3", 3) + 3
    tree = coding + bits.ue("log2_diff_max_min_luma_coding_block_size", 6 - coding)
    if tree < 4:
        raise CodecError("BPG: coding tree blocks of 8x8 in hevc_header, at least 16x16 is allowed")
    transform = bits.ue("log2_min_transform_block_size_minus2", coding - 3) + 2
    largest = transform + bits.ue("log2_diff_max_min_transform_block_size", min(tree, 5) - transform)
    return coding, tree, transform, largest


def read_pcm(bits: BitReader, depth: int, sizes: tuple[int, int, int, int]) -> Pcm | None:
    """Read ``pcm_enabled_flag`` and what follows it, within the limits of clause 7.4.3.2.1."""
    if not bits.flag():
        return None
    low, high = min(sizes[0], 5), min(sizes[1], 5)
    depth_luma, depth_chroma = bits.u(4) + 1, bits.u(4) + 1
    log2_min_size = bits.ue("log2_min_pcm_luma_coding_block_size_minus3", high - 3) + 3
    log2_max_size = log2_min_size + bits.ue("log2_diff_max_min_pcm_luma_coding_block_size", high - log2_min_size)
    if max(depth_luma, depth_chroma) > depth:
        raise CodecError(f"BPG: PCM samples of {depth_luma} and {depth_chroma} bits in a picture of {depth} bits")
    if log2_min_size < low:
        raise CodecError(f"BPG: PCM blocks of {1 << log2_min_size} are below the smallest coding block, {1 << low}")
    return Pcm(depth_luma, depth_chroma, log2_min_size, log2_max_size, loop_filter_disabled=bits.flag())


def read_sps_extension(bits: BitReader) -> tuple[bool, ...] | None:
    """Read ``sps_extension_present_flag`` and what follows it (clause 7.3.2.2): the range extension or nothing."""
    if not bits.flag():
        return None
    has_range_extension = bits.flag()
    if bits.u(7):
        raise CodecError("BPG: hevc_header declares an extension of HEVC other than the range extension")
    if not has_range_extension:
        return None
    flags = tuple(bits.flag() for _ in _RANGE_FLAGS)
    for name in _FORBIDDEN_RANGE_FLAGS:
        if flags[_RANGE_FLAGS.index(name)]:
            raise CodecError(f"BPG: hevc_header sets {name}, which BPG forbids")
    return flags


def write_hevc_header(sps: Sps) -> bytes:
    """Write ``hevc_header()`` with its length."""
    bits = BitWriter()
    write_block_sizes(bits, sps)
    bits.ue(sps.max_transform_depth_intra)
    write_tools(bits, sps)
    bits.u(1, sps.strong_intra_smoothing)
    write_sps_extension(bits, sps)
    header = bits.to_bytes()
    return write_ue7(len(header)) + header


def write_block_sizes(bits: BitWriter, sps: Sps) -> None:
    """Write what `read_block_sizes` reads."""
    bits.ue(sps.log2_min_coding_block - 3)
    bits.ue(sps.log2_coding_tree_block - sps.log2_min_coding_block)
    bits.ue(sps.log2_min_transform - 2)
    bits.ue(sps.log2_max_transform - sps.log2_min_transform)


def write_tools(bits: BitWriter, sps: Sps) -> None:
    """Write ``sample_adaptive_offset_enabled_flag``, and what `read_pcm` reads."""
    bits.u(1, sps.sample_adaptive_offset)
    bits.u(1, sps.pcm is not None)
    if sps.pcm is not None:
        bits.u(4, sps.pcm.depth_luma - 1)
        bits.u(4, sps.pcm.depth_chroma - 1)
        bits.ue(sps.pcm.log2_min_size - 3)
        bits.ue(sps.pcm.log2_max_size - sps.pcm.log2_min_size)
        bits.u(1, sps.pcm.loop_filter_disabled)


def write_sps_extension(bits: BitWriter, sps: Sps) -> None:
    """Write what `read_sps_extension` reads."""
    bits.u(1, sps.range_extension is not None)
    if sps.range_extension is not None:
        bits.u(1, 1)  # sps_range_extension_flag
        bits.u(7, 0)  # sps_extension_7bits
        for flag in sps.range_extension:
            bits.u(1, flag)
