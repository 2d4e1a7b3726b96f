"""Pictures of I_PCM blocks: samples as they are, for sizes that x265 does not take.

Every coding tree block is one coding unit of 16×16 luma samples with ``pcm_flag`` set, so nothing is predicted,
transformed or filtered and qp has no effect. Source: ITU-T H.265 (v4, 12/2016), clauses 7.3.2.3.1 (PPS), 7.3.6.1
(slice segment header), 7.3.8 (slice data) and 9.3 (CABAC).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from aebench.codecs.bpg.bits import BitWriter
from aebench.codecs.bpg.color import Plane
from aebench.codecs.bpg.hevc_header import Pcm, Sps
from aebench.codecs.bpg.nal import IDR_W_RADL, PPS, pack_nal

_BLOCK: Final = 16
_I_SLICE: Final = 2
_RANGE_AT_START: Final = 510  # clause 9.3.2.5

# fmt: off
_LPS_RANGE: Final = (
    240, 227, 216, 205, 195, 185, 175, 166, 158, 150, 142, 135, 128, 122, 116, 110,
    104, 99, 94, 89, 85, 80, 76, 72, 69, 65, 62, 59, 56, 53, 50, 48,
    45, 43, 41, 39, 37, 35, 33, 31, 30, 28, 27, 25, 24, 23, 22, 21,
    20, 19, 18, 17, 16, 15, 14, 14, 13, 12, 12, 11, 11, 10, 9,
)
# fmt: on
"""``rangeTabLps`` for ``qRangeIdx`` 3 and ``pStateIdx`` 0 to 62 (Table 9-46); the range is never another here.

``part_mode`` begins at ``pStateIdx`` 0 and ``valMps`` 1 for ``SliceQpY`` 26 (``initValue`` 184, Table 9-11 and clause
9.3.2.2), its value is always 1, and so its state is the number of blocks before it (``transIdxMps``, Table 9-47).
"""


def sps(depth: int) -> Sps:
    """Describe a picture of I_PCM blocks of 16×16."""
    return Sps(
        log2_min_coding_block=4,
        log2_coding_tree_block=4,
        log2_min_transform=2,
        log2_max_transform=4,
        max_transform_depth_intra=0,
        pcm=Pcm(depth, depth, log2_min_size=4, log2_max_size=4, loop_filter_disabled=True),
    )


def encode(planes: Sequence[Plane], depth: int) -> list[bytes]:
    """Write the PPS and the slice of a picture.

    Parameters
    ----------
    planes : sequence of 1 or 3 arrays, shape (height, width)
        Luma, of sides that are multiples of 16, and chroma of the same or half the height and width.
    depth : int
        Bits per sample.

    Returns
    -------
    list of bytes
        Two NAL units.
    """
    height, width = planes[0].shape
    blocks = [(row, column) for row in range(height // _BLOCK) for column in range(width // _BLOCK)]
    bits = BitWriter()
    _write_slice_header(bits)
    coding_range = _RANGE_AT_START
    for index, (row, column) in enumerate(blocks):
        # One bin of part_mode, always its most probable value, then pcm_flag by EncodeFlush (clause 9.3.4.9): nothing
        # is renormalised before it, so its nine bits are the range that remains, less two, and a one.
        state = min(index, len(_LPS_RANGE) - 1)
        bits.u(9, coding_range - _LPS_RANGE[state] - 2 | 1)
        bits.align()
        for plane in planes:
            high, wide = plane.shape[0] * _BLOCK // height, plane.shape[1] * _BLOCK // width
            block = plane[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
            bits.aligned_bytes(_packed(block, depth))
        coding_range = _RANGE_AT_START - 2  # end_of_slice_segment_flag, 0
    bits.u(9, coding_range | 1)  # end_of_slice_segment_flag, 1, with rbsp_stop_one_bit
    return [_pps_nal(), pack_nal(IDR_W_RADL, bits.to_bytes())]


def _packed(block: Plane, depth: int) -> bytes:
    """Write samples one after another, each in ``depth`` bits; every block makes whole bytes."""
    if depth == 8:
        return block.tobytes()
    bits = np.unpackbits(block.astype(">u2").reshape(-1, 1).view(np.uint8), axis=1)
    return np.packbits(bits[:, 16 - depth :]).tobytes()


def _write_slice_header(bits: BitWriter) -> None:
    """Write ``slice_segment_header()`` of the only, intra, slice of a picture, with what `_pps_nal` leaves on."""
    bits.u(1, 1)  # first_slice_segment_in_pic_flag
    bits.u(1, 0)  # no_output_of_prior_pics_flag
    bits.ue(0)  # slice_pic_parameter_set_id
    bits.ue(_I_SLICE)
    bits.se(0)  # slice_qp_delta
    bits.trail()  # byte_alignment()


def _pps_nal() -> bytes:
    """Write a picture parameter set without any tool: qp 26, no loop filter."""
    bits = BitWriter()
    bits.ue(0)  # pps_pic_parameter_set_id
    bits.ue(0)  # pps_seq_parameter_set_id
    bits.u(2 + 3, 0)  # dependent_slice_segments, output_flag_present, num_extra_slice_header_bits
    bits.u(2, 0)  # sign_data_hiding_enabled, cabac_init_present
    bits.ue(0)  # num_ref_idx_l0_default_active_minus1
    bits.ue(0)  # num_ref_idx_l1_default_active_minus1
    bits.se(0)  # init_qp_minus26
    bits.u(3, 0)  # constrained_intra_pred, transform_skip_enabled, cu_qp_delta_enabled
    bits.se(0)  # pps_cb_qp_offset
    bits.se(0)  # pps_cr_qp_offset
    bits.u(4, 0)  # slice_chroma_qp_offsets_present, weighted_pred, weighted_bipred, transquant_bypass_enabled
    bits.u(3, 0)  # tiles_enabled, entropy_coding_sync_enabled, pps_loop_filter_across_slices_enabled
    bits.u(3, 0b101)  # deblocking_filter_control_present, override_enabled, pps_deblocking_filter_disabled
    bits.u(2, 0)  # pps_scaling_list_data_present, lists_modification_present
    bits.ue(0)  # log2_parallel_merge_level_minus2
    bits.u(2, 0)  # slice_segment_header_extension_present, pps_extension_present
    bits.trail()
    return pack_nal(PPS, bits.to_bytes())
