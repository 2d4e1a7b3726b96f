"""Any program as a codec: real programs, in real processes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aebench
from aebench import Rgb
from aebench.codecs import registry, settings
from aebench.codecs.command import Command
from aebench.errors import CodecError, SettingError
from aebench.job import read_job
from tests.test_cli import ROOT
from tests.test_cli import aebench as aebench_command

COPY = "cp {input} {output}"


def command(encode: str = COPY, decode: str = COPY, **values: str | float) -> Command:
    codec = registry.codec(Command(encode_=encode, decode_=decode, **values).setting)  # type: ignore[arg-type]
    assert isinstance(codec, Command)
    return codec


def python(code: str) -> str:
    return shlex.join([sys.executable, "-I", "-S", "-c", code])


@pytest.mark.parametrize(("image", "start"), [("png", b"\x89PNG"), ("ppm", b"P6"), ("bmp", b"BM")])
def test_the_encoder_gets_the_format_that_is_named(crop: Rgb, image: str, start: bytes) -> None:
    codec = command(image=image)
    data = codec.encode(crop)
    assert data.startswith(start)
    assert np.array_equal(codec.decode(data), crop)


def test_files_have_the_suffixes_that_are_named(crop: Rgb) -> None:
    tell = python("import sys; open(sys.argv[2], 'w').write(' '.join(sys.argv[1:]))") + " {input} {output}"
    said = command(tell, image="bmp", suffix=".tar.gz").encode(crop).decode().split(" ")
    assert [Path(path).name for path in said] == ["image.bmp", "coded.tar.gz"]
    assert not Path(said[0]).parent.exists()


def test_what_stands_for_a_placeholder_stays_one_argument(crop: Rgb, tmp_path: Path) -> None:
    q = "a b;\"$(touch HERE)\" | {input} \\ 'ö'".replace("HERE", str(tmp_path / "made"))
    show = python("import sys, json; json.dump(sys.argv[1:], open(sys.argv[2], 'w'))")
    codec = command(f"{show} {{input}} {{output}} {{q}} '-o={{q}}' '{{\"a\": 1}}'", q=q)
    assert json.loads(codec.encode(crop))[2:] == [q, f"-o={q}", '{"a": 1}']
    assert not (tmp_path / "made").exists()


def test_q_is_swept(ppm_encoder: str, ppm_decoder: str, photograph: Rgb) -> None:
    text = Command(encode_=ppm_encoder, decode_=ppm_decoder, image="ppm", q="Q").setting.replace("Q", "64|16|4")
    found = registry.codecs(text)
    assert [codec.values()["q"] for codec in found] == ["64", "16", "4"]
    assert len({codec.variant for codec in found}) == 1
    sizes = [len(codec.encode(photograph)) for codec in found]
    assert sizes == sorted(sizes)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encode": ""}, r"'command' needs encode and decode; write for example command\[encode="),
        ({"decode": ""}, "'command' needs encode and decode"),
        ({"encode": "cp {input} x"}, r"command\[encode=…\] needs \{output\}: cp \{input\} x"),
        ({"decode": "cp"}, r"command\[decode=…\] needs \{input\} and \{output\}"),
        ({"encode": "cp {input} {output} {quality}"}, r"knows \{input\}, \{output\} and \{q\}, not \{quality\}"),
        ({"encode": "cp {input} {output} {}"}, r"not \{\}"),
        (
            {"encode": "cp '{input} {output}"},
            r"command\[encode=…\] cannot be split into arguments: No closing quotation",
        ),
        ({"encode": "cp {input} {output} {q}"}, r"command\[q=…\] is missing"),
        ({"q": "5"}, r"command\[q=…\] has no effect"),
        ({"encode": "cp {input} {output} {q}", "q": "10..90:20"}, "has no ranges: list the values of 10..90:20"),
        ({"suffix": "/etc"}, r"command\[suffix=…\] takes the end of a file's name"),
        ({"image": "gif"}, "takes one of png, ppm, bmp"),
        ({"seconds": 0.0}, "at least 0.001"),
    ],
)
def test_mistakes_are_named(values: dict[str, str | float], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        command(**values)  # type: ignore[arg-type]


def test_a_program_that_fails_is_quoted(crop: Rgb) -> None:
    with pytest.raises(CodecError, match=r"cp ended with 1 and said: .*coded\.bin"):
        command("cp {input} {output}/nowhere").encode(crop)
    with pytest.raises(CodecError, match="no-such-program is not on the PATH"):
        command("no-such-program {input} {output}").encode(crop)
    with pytest.raises(CodecError, match="no-such-program is not on the PATH"):
        command("no-such-program {input} {output}").version()
    with pytest.raises(CodecError, match=r"did not end within 0\.2 seconds"):
        command(decode=f"{python('import time; time.sleep(600)')} {{input}} {{output}}", seconds=0.2).decode(b"x")
    with pytest.raises(CodecError, match="true wrote nothing and said: nothing"):
        command(decode="true {input} {output}").decode(b"x")
    with pytest.raises(CodecError, match="cp wrote an image that cannot be read"):
        command().decode(b"no image")


def test_version_names_programs_and_scripts(ppm_encoder: str, ppm_decoder: str) -> None:
    entries = command(ppm_encoder, ppm_decoder, q="8").version().split(", ")
    assert [entry.split(" ")[0] for entry in entries] == [Path(sys.executable).name, "ppm_program.py"]


def test_variant_is_the_label_where_there_is_one() -> None:
    coder = f"{COPY} {{q}}"
    assert command(coder, q="5", label="mozjpeg").variant == "command[label=mozjpeg]"
    assert command(coder, q="5").variant == f'command[encode="{coder}",decode="{COPY}"]'
    assert command(coder, q="5", label="mozjpeg").setting == (
        f'command[label=mozjpeg,encode="{coder}",decode="{COPY}",q=5]'
    )


@given(st.text(), st.text(min_size=1).filter(lambda text: ".." not in text))
def test_any_text_passes_through_the_grammar(words: str, q: str) -> None:
    line = f"{shlex.join(['cp', words])} {{input}} {{output}} {{q}}"
    try:
        codec = Command(encode_=line, decode_=COPY, q=q)
    except SettingError as error:
        assert "knows {input}, {output} and {q}" in str(error)  # braces in the words
        return
    (item,) = settings.parse(codec.setting)
    assert settings.single(item, Command) == codec
    assert json.loads(codec.parameters_json())["encode"] == line


def test_a_job_holds_it(tmp_path: Path, ppm_encoder: str, ppm_decoder: str) -> None:
    setting = Command(encode_=ppm_encoder, decode_=ppm_decoder, image="ppm", q="8", label="ppm").setting
    job = tmp_path / "job.toml"
    job.write_text(f"[evaluate]\nimages = 'samples'\ncodecs = ['jpeg[quality=50]', {json.dumps(setting)}]\n")
    section = read_job(job).evaluate
    assert section is not None
    assert [codec.setting for codec in section.settings()] == ["jpeg[quality=50]", setting]


@pytest.mark.slow
def test_a_shell_passes_it_and_rows_store_it(tmp_path: Path, ppm_encoder: str, ppm_decoder: str) -> None:
    codec = Command(encode_=ppm_encoder, decode_=ppm_decoder, image="ppm", q="8", label="ppm, [deflated]")
    options = ["--images", "samples[:1]", "--codecs", codec.setting, "--output", "r"]
    line = shlex.join([sys.executable, "-m", "aebench", "evaluate", *options])
    environment = {**os.environ, "RAY_ADDRESS": "local", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (row,) = pq.read_table(tmp_path / "r" / "rows").to_pylist()
    assert row["error"] is None
    assert (row["setting"], row["variant"]) == (codec.setting, 'command[label="ppm, [deflated]"]')
    assert aebench.codec(row["setting"]) == codec
    assert json.loads(row["parameters"]) == codec.values()
    assert row["codec_version"] == codec.version()


def test_it_is_listed_with_an_example(tmp_path: Path) -> None:
    assert 'encode=""' in (text := aebench_command("codecs", cwd=tmp_path))
    assert "needs encode and decode" in " ".join(text.split())
