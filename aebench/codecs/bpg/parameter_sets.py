"""HEVC's video and sequence parameter sets: written for a decoder, read from an encoder.

Sources: ITU-T H.265 (v4, 12/2016), clauses 7.3.2, 7.3.3 and E.2.1; BPG specification 0.9.5, clause 3.2, for the values
that a BPG file leaves out.
"""

from __future__ import annotations

from typing import Final

from aebench.codecs.bpg.bits import BitReader, BitWriter
from aebench.codecs.bpg.hevc_header import (
    Sps,
    read_block_sizes,
    read_pcm,
    read_sps_extension,
    write_block_sizes,
    write_sps_extension,
    write_tools,
)
from aebench.codecs.bpg.nal import SPS, VPS, pack_nal, unpack_nal
from aebench.errors import CodecError

CHROMA_FORMAT_IDC: Final = {"grey": 0, "420": 1, "422": 2, "444": 3}
"""``chroma_format_idc`` (clause 6.2, Table 6-1)."""

_RANGE_EXTENSIONS_PROFILE: Final = 4  # clause A.3.5
_LEVEL_8_5: Final = 255  # clause A.4.1: no limits
_ANY: Final = (1 << 31) - 2


def vps_nal() -> bytes:
    """Write the video parameter set of a still picture (clause 7.3.2.1)."""
    bits = BitWriter()
    bits.u(4, 0)  # vps_video_parameter_set_id
    bits.u(2, 3)  # vps_base_layer_internal_flag, vps_base_layer_available_flag
    bits.u(6 + 3, 0)  # vps_max_layers_minus1, vps_max_sub_layers_minus1
    bits.u(1, 1)  # vps_temporal_id_nesting_flag
    bits.u(16, 0xFFFF)  # vps_reserved_0xffff_16bits
    _write_profile(bits)
    _write_picture_buffer(bits)
    bits.u(6, 0)  # vps_max_layer_id
    bits.ue(0)  # vps_num_layer_sets_minus1
    bits.u(1, 0)  # vps_timing_info_present_flag
    bits.u(1, 0)  # vps_extension_flag
    bits.trail()
    return pack_nal(VPS, bits.to_bytes())


def sps_nal(sps: Sps, coded_size: tuple[int, int], chroma: str, depth: int) -> bytes:
    """Write the sequence parameter set (clause 7.3.2.2.1) of a picture, without VUI or conformance window.

    Parameters
    ----------
    sps : Sps
    coded_size : (int, int)
        Width and height in luma samples, multiples of the smallest coding block.
    chroma : str
        ``grey``, ``420``, ``422`` or ``444``.
    depth : int
        Bits per sample.
    """
    bits = BitWriter()
    bits.u(4 + 3, 0)  # sps_video_parameter_set_id, sps_max_sub_layers_minus1
    bits.u(1, 1)  # sps_temporal_id_nesting_flag
    _write_profile(bits)
    bits.ue(0)  # sps_seq_parameter_set_id
    bits.ue(CHROMA_FORMAT_IDC[chroma])
    if chroma == "444":
        bits.u(1, 0)  # separate_colour_plane_flag
    bits.ue(coded_size[0])
    bits.ue(coded_size[1])
    bits.u(1, 0)  # conformance_window_flag
    bits.ue(depth - 8)  # bit_depth_luma_minus8
    bits.ue(depth - 8)  # bit_depth_chroma_minus8
    bits.ue(4)  # log2_max_pic_order_cnt_lsb_minus4
    _write_picture_buffer(bits)
    write_block_sizes(bits, sps)
    bits.ue(sps.max_transform_depth_intra)  # max_transform_hierarchy_depth_inter
    bits.ue(sps.max_transform_depth_intra)
    bits.u(1, 0)  # scaling_list_enabled_flag
    bits.u(1, 1)  # amp_enabled_flag
    write_tools(bits, sps)
    bits.ue(0)  # num_short_term_ref_pic_sets
    bits.u(1, 0)  # long_term_ref_pics_present_flag
    bits.u(1, 1)  # sps_temporal_mvp_enabled_flag
    bits.u(1, sps.strong_intra_smoothing)
    bits.u(1, 0)  # vui_parameters_present_flag
    write_sps_extension(bits, sps)
    bits.trail()
    return pack_nal(SPS, bits.to_bytes())


def read_sps_nal(nal: bytes, coded_size: tuple[int, int], chroma: str, depth: int) -> Sps:
    """Read the sequence parameter set (clause 7.3.2.2.1) that an encoder wrote.

    Raises
    ------
    CodecError
        If it is not of the picture described, or has values other than those that BPG implies.
    """
    bits = BitReader(unpack_nal(nal), "the encoder's SPS")
    _expect(bits.u(4 + 3), 0, "sps_video_parameter_set_id and sps_max_sub_layers_minus1")
    bits.u(1)  # sps_temporal_id_nesting_flag
    bits.u(88 + 8)  # profile_tier_level
    _expect(bits.ue("sps_seq_parameter_set_id", 15), 0, "sps_seq_parameter_set_id")
    _expect(bits.ue("chroma_format_idc", 3), CHROMA_FORMAT_IDC[chroma], "chroma_format_idc")
    if chroma == "444":
        _expect(bits.u(1), 0, "separate_colour_plane_flag")
    size = bits.ue("pic_width_in_luma_samples", _ANY), bits.ue("pic_height_in_luma_samples", _ANY)
    _expect(size, coded_size, "size of the picture")
    _expect(bits.u(1), 0, "conformance_window_flag")
    depths = bits.ue("bit_depth_luma_minus8", 8) + 8, bits.ue("bit_depth_chroma_minus8", 8) + 8
    _expect(depths, (depth, depth), "bit depths")
    _expect(bits.ue("log2_max_pic_order_cnt_lsb_minus4", 12), 4, "log2_max_pic_order_cnt_lsb_minus4")
    bits.u(1)  # sps_sub_layer_ordering_info_present_flag
    for name in ("sps_max_dec_pic_buffering_minus1", "sps_max_num_reorder_pics", "sps_max_latency_increase_plus1"):
        bits.ue(name, _ANY)
    sizes = read_block_sizes(bits)
    depth_inter = bits.ue("max_transform_hierarchy_depth_inter", 4)
    depth_intra = bits.ue("max_transform_hierarchy_depth_intra", 4)
    _expect(depth_inter, depth_intra, "max_transform_hierarchy_depth_inter")
    _expect(bits.u(2), 1, "scaling_list_enabled_flag and amp_enabled_flag")
    sample_adaptive_offset = bits.flag()
    pcm = read_pcm(bits, depth, sizes)
    _expect(bits.ue("num_short_term_ref_pic_sets", 64), 0, "num_short_term_ref_pic_sets")
    _expect(bits.u(2), 1, "long_term_ref_pics_present_flag and sps_temporal_mvp_enabled_flag")
    strong_intra_smoothing = bits.flag()
    if bits.flag():
        _skip_vui(bits)
    extension = read_sps_extension(bits)
    return Sps(*sizes, depth_intra, sample_adaptive_offset, pcm, strong_intra_smoothing, extension)


def _write_profile(bits: BitWriter) -> None:
    """Write ``profile_tier_level()`` (clause 7.3.3): format range extensions, intra, one picture, no level."""
    bits.u(2 + 1, 0)  # general_profile_space, general_tier_flag
    bits.u(5, _RANGE_EXTENSIONS_PROFILE)
    bits.u(32, 1 << 31 - _RANGE_EXTENSIONS_PROFILE)  # general_profile_compatibility_flag
    bits.u(4, 0b1001)  # progressive_source, interlaced_source, non_packed_constraint, frame_only_constraint
    bits.u(9, 0b000000111)  # max_12bit … max_monochrome, intra, one_picture_only, lower_bit_rate
    bits.u(34 + 1, 0)
    bits.u(8, _LEVEL_8_5)


def _write_picture_buffer(bits: BitWriter) -> None:
    """Write that the decoder keeps one picture, without reordering."""
    bits.u(1, 1)  # sub_layer_ordering_info_present_flag
    bits.ue(0)  # max_dec_pic_buffering_minus1
    bits.ue(0)  # max_num_reorder_pics
    bits.ue(0)  # max_latency_increase_plus1


def _skip_vui(bits: BitReader) -> None:
    """Read over ``vui_parameters()`` (clause E.2.1); a still picture needs nothing of it."""
    if bits.flag() and bits.u(8) == 255:  # aspect_ratio_info_present_flag, aspect_ratio_idc == EXTENDED_SAR
        bits.u(32)
    if bits.flag():  # overscan_info_present_flag
        bits.u(1)
    if bits.flag():  # video_signal_type_present_flag
        bits.u(3 + 1)  # video_format, video_full_range_flag
        if bits.flag():  # colour_description_present_flag
            bits.u(24)
    if bits.flag():  # chroma_loc_info_present_flag
        bits.ue("chroma_sample_loc_type_top_field", 5)
        bits.ue("chroma_sample_loc_type_bottom_field", 5)
    bits.u(3)  # neutral_chroma_indication_flag, field_seq_flag, frame_field_info_present_flag
    if bits.flag():  # default_display_window_flag
        for side in ("left", "right", "top", "bottom"):
            bits.ue(f"def_disp_win_{side}_offset", _ANY)
    if bits.flag():  # vui_timing_info_present_flag
        bits.u(32 + 32)
        if bits.flag():  # vui_poc_proportional_to_timing_flag
            bits.ue("vui_num_ticks_poc_diff_one_minus1", _ANY)
        _expect(bits.u(1), 0, "vui_hrd_parameters_present_flag")
    if bits.flag():  # bitstream_restriction_flag
        bits.u(3)
        for name in ("min_spatial_segmentation_idc", "max_bytes_per_pic_denom", "max_bits_per_min_cu_denom"):
            bits.ue(name, 4095)
        bits.ue("log2_max_mv_length_horizontal", 15)
        bits.ue("log2_max_mv_length_vertical", 15)


def _expect(found: object, wanted: object, name: str) -> None:
    if found != wanted:
        raise CodecError(f"the encoder's SPS has {name} = {found}, a BPG file can only stand for {wanted}")
