"""The learned codec: the same coefficients everywhere, or a loud error."""

from __future__ import annotations

import base64
import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aebench.codecs.base import Rgb
from aebench.codecs.lapped import LappedCodec
from aebench.codecs.registry import codec, codecs
from aebench.errors import CodecError
from aebench.metrics import mse, psnr
from aebench.models.weights import Weights, build
from aebench.results import RunFolder
from aebench.run import ready
from tests.models.lapped.helpers import picture, seeded_network

STORED = (
    "K}7(hdyd8O^Jx<R9soJ-iZZN9OnyQ8Pq&lScux$3aNfdo1;?tl+|~(r=#*9WGe|MU_-ogmy()(frAzOqOhf@Y?)p5H_bWB9Xcjoy|DJ0"
    "f(kG8Sq(gv9J7N@=HD(>;&1Qnrq!r$qe^%wJF<b}N;~}G65Qj{m&GcLpxTVQwpR&B9=J7kKBuE>CHL18*_w|vNN%3ba07HHKmLBaj`el"
    "mPf?6CD>d+3PBlRWHThoxS`w{^Z%K@rTte23!2WdV{vrTX#rv)Lt@97_JHzv1Z;!+V{IvSiA2~VJ8sQQ+XFW|mC9e}e9HieVbvS*w`47"
    "{G6y*~e6&tKWVF2Ux_Y_#CQ&5x@f{kI;h>HR~cf-B9QTJ6P<B6^Er5j+Twlvnt7HigJ(^92$p{`+LT(4^@?Zsop#1sK@YV6Ze%+VM-?Q"
    "qd?R(Q4pRk`}EGNKsasJ@&E*$&+GB73RKHdlD=;-$N41{VE1No?Nn=wc~O2by%VfD-sXarF3q$r5X;>NJ$S<*Ked?B@KJ2yg^x-Li`Wx"
    "d{|;uT2{{e)9RAm{%7qYL(U5J<L_gX-iE0tM+HeTp7&D;V~ZN;cDEc7f=CvGi{0?5D$)ix>0bX}=bpw=CbbS-24RrNDDZ>k$6jq{U=xN"
    "!xnbxk|9J!gG2gv6NX@6wN)kz0h=vJ778~=Eqn$=RJOgvsdJ|Xz5&K@P-NPYPZ(rdKyeJeTNBa&p2@ePSQ{ht5*S#}YQKGzIrb8Vt-M*"
    "}4;P}+av6XJe2OGYc$vak7B4Q2Oy1l877$l<)WKl(&b#aUk-6CnPSnO8H5_7VGdMAo?kk}<I7^YG@Y2&{Eanq(N6QSN9Jbdr|m7FjrjZ"
    "Yv0X?ZB97MDnW@9d>VQ46(%-VbKF!<v?~?^RSj*xlRDOUua7yiTx`g_`T%Kdlh1md-5gaZ47KY#4oAQ^Qe#YpxbTj}Mk)iw*CM8+_>-+"
    "OiyU&PrKO#(P|U*QK;*pouSp*(^<U(%HMI{RVao?_CJ$jS7Kp)(ZnV#1EuuJl9e;Se<WFCVU(UBoQkYzd6XQ1#B(xfoip(WDetfK3S|p"
    "yUbw9H^RIcbEr%M5i=U?WF;<Y_E2ff1UboH`50#g>ZMgVsQfnTbhz7<I+6AjFa"
)
"""A stream of a 19×30 picture, made with `seeded_network` at step 12 …"""

DIGEST = 419990255
"""… and the CRC-32 of its coefficients."""


@pytest.fixture(scope="module")
def seeded() -> LappedCodec:
    return LappedCodec(step=12).bind(Weights.of("lapped", seeded_network(), {}))


@pytest.fixture(scope="module")
def shipped() -> LappedCodec:
    return cast(LappedCodec, codec("lapped[step=16]"))


def coefficients(coder: LappedCodec, stream: bytes, height: int, width: int) -> np.ndarray:
    network = coder._network()
    with torch.inference_mode():
        return network.decode(stream[14 + 3 :], stream[14], height, width).q.numpy()  # type: ignore[operator]


def test_a_stream_from_another_machine_decodes_to_the_coefficients_that_it_had_there(seeded: LappedCodec) -> None:
    stream = base64.b85decode(STORED)
    found = coefficients(seeded, stream, 19, 30)
    assert zlib.crc32(found.astype("<i4").tobytes()) == DIGEST
    assert seeded.decode(stream).shape == (19, 30, 3)


def test_one_and_two_threads_and_another_process_decode_the_same_coefficients(shipped: LappedCodec) -> None:
    image = picture(150, 203)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        stream = shipped.encode(image)
        alone = coefficients(shipped, stream, 150, 203)
        torch.set_num_threads(2)
        assert np.array_equal(coefficients(shipped, stream, 150, 203), alone)
    finally:
        torch.set_num_threads(threads)
    program = (
        "import sys, zlib; from aebench.codecs.registry import codec;"
        "from tests.codecs.test_lapped import coefficients;"
        "q = coefficients(codec('lapped'), sys.stdin.buffer.read(), 150, 203);"
        "print(zlib.crc32(q.astype('<i4').tobytes()))"
    )
    child = subprocess.run([sys.executable, "-c", program], input=stream, capture_output=True, check=True)
    assert int(child.stdout) == zlib.crc32(alone.astype("<i4").tobytes())


def test_the_stream_is_its_header_and_what_the_range_coder_wrote(seeded: LappedCodec) -> None:
    image = picture(19, 30)
    stream = seeded.encode(image)
    assert stream[14] == round(16 * np.log2(12)) == 57
    assert (
        struct.unpack("<H", stream[15:17])[0]
        == zlib.crc32(coefficients(seeded, stream, 19, 30).astype("<i4").tobytes()) & 0xFFFF
    )


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1.0, 7.0, 60.0, 1000.0]))
@settings(deadline=None, max_examples=30)
def test_any_size_comes_back(shipped: LappedCodec, height: int, width: int, step: float) -> None:
    image = picture(height, width)
    coder = replace(shipped, step=step)
    decoded = coder.decode(coder.encode(image))
    assert decoded.shape == image.shape
    if step == 1:
        assert np.abs(decoded.astype(int) - image).max() < 20


def test_steps_go_from_below_a_tenth_of_a_bit_to_more_than_three(photograph: Rgb) -> None:
    sizes = [8 * len(coder.encode(photograph)) / photograph[..., 0].size for coder in codecs("lapped")]
    assert sizes == sorted(sizes, reverse=True)
    assert 8 * len(codec("lapped[step=4]").encode(photograph)) / photograph[..., 0].size > 3
    assert 8 * len(codec("lapped[step=250]").encode(photograph)) / photograph[..., 0].size < 0.1


def test_weights_come_with_it_unless_the_run_or_the_setting_has_others(tmp_path: Path) -> None:
    plain, run = codec("lapped"), RunFolder(tmp_path / "run")
    Weights.of("paper", build("paper"), {}).save(run.weights_of("paper"))
    assert ready(plain, run).version() == plain.version(), "weights of another network are not its own"
    mine = Weights.of("lapped", seeded_network(), {})
    mine.save(run.weights_of("lapped"))
    assert mine.digest[:12] in ready(plain, run).version()
    assert mine.digest[:12] in codec(f"lapped[weights={run.path}]").version()


def test_decoding_needs_no_setting(shipped: LappedCodec) -> None:
    image = picture(60, 40)
    stream = replace(shipped, step=9.0).encode(image)
    assert np.array_equal(shipped.decode(stream), replace(shipped, step=200.0).decode(stream))
    assert psnr(mse(shipped.decode(stream), image)) > 33


def test_a_batch_gives_the_streams_of_its_images(shipped: LappedCodec) -> None:
    batch = [picture(50, 61, seed) for seed in (1, 2)]
    streams = shipped.encode_batch(batch)
    assert streams == [shipped.encode(rgb) for rgb in batch]
    for stream, decoded in zip(streams, shipped.decode_batch(streams), strict=True):
        assert np.array_equal(decoded, shipped.decode(stream))


def damaged(stream: bytes, payload: bytes) -> bytes:
    """Put another payload under a header that fits it."""
    size = stream[10:14]
    return stream[:6] + struct.pack("<I", zlib.crc32(size + payload)) + size + payload


@given(st.integers(0, 10**6), st.integers(1, 255))
@settings(deadline=None, max_examples=60)
def test_a_changed_byte_is_noticed_by_the_coefficients_alone(seeded: LappedCodec, position: int, change: int) -> None:
    stream = seeded.encode(picture(19, 30))
    payload = bytearray(stream[14:])
    payload[position % len(payload)] ^= change
    with pytest.raises(CodecError):
        seeded.decode(damaged(stream, bytes(payload)))


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=60)
def test_any_payload_is_an_image_or_a_codec_error(seeded: LappedCodec, payload: bytes) -> None:
    stream = seeded.encode(picture(17, 9))
    try:
        assert seeded.decode(damaged(stream, payload)).shape == (17, 9, 3)
    except CodecError as error:
        assert str(error)
