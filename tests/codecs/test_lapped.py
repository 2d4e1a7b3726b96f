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
    "K}CQZ<E#@>bm9{L9soJP+9&e*POx~jB8H>_4ED8vu@|mo79kpb@QkhOFKsUC2F@)N-@EdJ-JapWj^VlO(%4oBTQBlQ^2d|AE><LB{qUt"
    "B8#r0a8BID*{h}{Q6B64j((@x4$pE6hD)0CWre8qE>SE`4fd*tnL~<!9NgF8fzRsq5L5m2?82daH$qa(PqAEO+yGLYj+F<zK$~i^Kqxz"
    "%XYG>0lZdv|wWidkhkq*7<D-}o&`0QqCoi&0-U<1$tByY#DR^D4yPN+^F&Hl*<+{Ue~QH&@9=|8_!jjZojzw$#)6wWLpy>p!e01BO}zp"
    "{#tF?0$~$#K%a;#lpGK26E0`T;++(DyyL>dw>$O*t1^r^ARbC$ZO3dNW5@F?mHU3siUFbiTKS#t9c6LM*6P&Kvc;6qrm~5d}E-QXM4m1"
    "hPAWa@x7u^`LU)BaqL_GQ18wS@6*QRXX=6$5`}*iw}Y2zfOuE55HP`rb?^uz#e<kRwFNkRRuyuncz{fZ(ADF+d!5|#mCuXSVmjYPJe6X"
    "&X_t06s$`y$I`_s$BLL95fJ?i<uor~6r?N4F&8;8dYf#_S*p&S4y`IYTWQE~*~nq`AsgpIPUtU;Y!Vn+!A_^m!QrD4x=x<PK{6Gd-w<e"
    "slrmjL6BL}bM5^jqerS&`VNQsErV8$>GGOH(ZL9a}2NJw5?zAXZyT@_+<~wo%5*F4#6@h+Mf*q^;XUWh?m&w=XT!|_z^AW0Iq!2LI*b>"
    "O2vGEw9aM2&{>8%9X?j&zCGBeqpyJ-!yLk?tMv^MOb&wvww>GY;m$e#L~nD8hd@&7Gn|NB9a|5_}DLe4&F=*Hvw9d*rr38BCMD#cN~t|"
    "*yr`5=L69ByN(oDqYMyT93fci%^NP|*=_kk1AE&1xmydkfYbsQ#6sUB{CSvS#5KbrXZnf552Eq<3zGd5~wftiP9}>B}}SXpM1ZR_P${$"
    "U?=?3D@+8Xrv=ABegQ{H2t2|oi6T;oDeyTfT(68U@FqaAYx1TXbSg`_7@ir0L*B6w;MGYkxt0hQ4SDdoI<1r4VXdP;m;F1hMRB5L*wB~"
    "j?L(JwhwMw>i${(wdA@Nuln~jKChU^$#jFAoIEEZ+e(pD7fD|+^?DXSH2BzK<sOK4Gp(;>HjMRc_g{}@{}Qc>{fyvn6yeM2E&t&y{~5J"
    "Z{CG5qYWW;;CH7R~lqp+~)Y2LhSA=w5n6Q^K+Zd7_{bAlf-yGsD%{s3jCj4H8geSCLcDd^3mLn(O^aam}T*MYG3#@SkCsigfwG_OJ14$"
    "+}ASl8s5o>SwnD*dTe|p#Vdp*7Y)FD3y#LiS)jt69jyvY?Sf=yYkXx)qPyL%2<T51?n616)PKZ@*Ml)J|mA@<~I8rxlIY*Dxel)6|QQb"
    "Y?P8i)RB-4{G=E%#^!d0JqJ{HSsO7>0gTJT1@I9M2J&Yv`GVK+&M;z+}1y<=r#h_C=KQ_$lVO&AMDfpFw69+dqcc<9&I008?-RN6N1Y0"
    "qiYjxUH@pi!+AZ8*?cvH=eY-<4CddfL_UKe~32WyXXwQ`Mth-s_BC%pV^R)t~j<=a{-qE>-|SrKy^#Y&%U1Qq9zsg6rfJ(lII2ESyIjP"
    ")IJ7^z`uKa|NH;{Mt%q!W=}2sLWy^XdkT$C(sP=n8t8lScw9KFkMQH}w3>jN&!h2y(F+vW6-#IV*d~8LnkvcIT}Q=)o<1!p_FKq4lNx~"
    "gu<=S^aO3^>>+1o8*b)S*z8@3z6ltV8&XKxRwX9eOEdQt{oERQkXzb9G_y%e8%oX@u%GJMcxk4^(2j(vcJ3q!C%YVe;Lo)PWOiKt8i^t"
    "+V3X*6IIrJ0!b5P8_!IGQ%hjH_*>`USJp}t?>W6~XBdsphv$P$^|G**72oUI8Aj5A8lI;HI*j&Gs$y_!N5tsQ1&UC0x{i+{mS{8Iz!gS"
    "IYi9D>NLis4ctp*yXMa^vHIIH&A(Zbi*q!kB)XB3*2^>LNcl+ITeo@%?`TL=v=GhOkr+NokPmy{M<w1nfuD5P`-e^%4m`su1k`Bth2|("
    "L^g{+e*YX1>~3m@4`m;DVbk5WBb#&dr?ap(E"
)
"""A stream of a 19×30 picture, made with `seeded_network` at step 12 …"""

DIGEST = 1921768129
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
    Weights.of("paper", build("paper"), {}).save(run.model)
    assert ready(plain, run).version() == plain.version(), "weights of another network are not its own"
    mine = Weights.of("lapped", seeded_network(), {})
    mine.save(run.model)
    assert mine.digest[:12] in ready(plain, run).version()
    assert mine.digest[:12] in codec(f"lapped[weights={run.model}]").version()


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
