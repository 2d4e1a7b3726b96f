"""The search for Kodak, and its download from real servers on this machine."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aebench.errors import ImageSetError
from aebench.images import describe, kodak, open_rgb, resolve

FILES = {f"kodim0{n}.png": f"the bytes of image {n}".encode() * 1000 for n in (1, 2, 3)}
SUMS = {name: hashlib.sha256(data).hexdigest() for name, data in FILES.items()}

Reply = Callable[[BaseHTTPRequestHandler, str], None]


@contextmanager
def server(reply: Reply) -> Iterator[tuple[str, list[str]]]:
    """Serve on this machine; gives the URL template and the names asked for, with the header of the first request."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert self.headers["User-Agent"].startswith("aebench")
            asked.append(self.path.lstrip("/"))
            reply(self, self.path.lstrip("/"))

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{http.server_port}/{{name}}", asked
        finally:
            http.shutdown()
            thread.join()


def send(handler: BaseHTTPRequestHandler, data: bytes, length: int | None = None) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data) if length is None else length))
    handler.end_headers()
    handler.wfile.write(data)


def good(handler: BaseHTTPRequestHandler, name: str) -> None:
    send(handler, FILES[name])


def closed_port() -> str:
    """A URL on which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/{{name}}"


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.fixture
def files(kodak: list[Path]) -> list[Path]:
    """The 24 real files, under a name that does not hide the module."""
    return kodak


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data, an empty cache, no way to the network."""
    monkeypatch.delenv("AEBENCH_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("AEBENCH_KODAK_SOURCES", closed_port())
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def test_the_sums_of_24_files() -> None:
    sums = kodak.sums()
    assert list(sums) == [f"kodim{n:02}.png" for n in range(1, 25)]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in sums.values())


def test_download(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with server(good) as (url, asked):
        kodak.download(tmp_path / "a" / "b", SUMS, [url])
        assert contents(tmp_path / "a" / "b") == FILES
        assert asked == list(FILES)
        kodak.download(tmp_path / "a" / "b", SUMS, [url])
        assert asked == list(FILES), "what is there is not fetched again"
    assert "kodim02.png (2 of 3) from 127.0.0.1" in caplog.text


def test_the_number_can_stand_in_the_url(tmp_path: Path) -> None:
    with server(lambda handler, name: send(handler, FILES[f"kodim{name}"])) as (url, asked):
        kodak.download(tmp_path, SUMS, [url.replace("{name}", "{n}.png")])
        assert asked == ["01.png", "02.png", "03.png"]


def test_what_is_there_is_kept_and_what_is_damaged_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "kodim01.png").write_bytes(FILES["kodim01.png"])
    (tmp_path / "kodim02.png").write_bytes(FILES["kodim02.png"][:-1])
    with server(good) as (url, asked):
        kodak.download(tmp_path, SUMS, [url])
        assert asked == ["kodim02.png", "kodim03.png"]
    assert contents(tmp_path) == FILES


def test_a_wrong_sum_goes_to_the_next_source(tmp_path: Path) -> None:
    with (
        server(lambda handler, name: send(handler, b"<html>please log in</html>")) as (bad, _),
        server(good) as (url, asked),
    ):
        kodak.download(tmp_path, SUMS, [bad, url])
        assert asked == list(FILES)
    assert contents(tmp_path) == FILES


def test_404_goes_to_the_next_source_for_that_image_only(tmp_path: Path) -> None:
    def reply(handler: BaseHTTPRequestHandler, name: str) -> None:
        handler.send_error(404) if name == "kodim02.png" else good(handler, name)

    with server(reply) as (first, asked_first), server(good) as (second, asked_second):
        kodak.download(tmp_path, SUMS, [first, second])
        assert (asked_first, asked_second) == (list(FILES), ["kodim02.png"])
    assert contents(tmp_path) == FILES


def test_a_refused_connection_goes_to_the_next_source(tmp_path: Path) -> None:
    with server(good) as (url, _):
        kodak.download(tmp_path, SUMS, [closed_port(), url])
    assert contents(tmp_path) == FILES


def test_a_truncated_body_leaves_nothing(tmp_path: Path) -> None:
    def reply(handler: BaseHTTPRequestHandler, name: str) -> None:
        send(handler, FILES[name][:5000], length=len(FILES[name]))
        handler.close_connection = True

    with server(reply) as (url, asked):
        with pytest.raises(ImageSetError, match="wrong SHA-256 sum, 5,000 bytes"):
            kodak.download(tmp_path, SUMS, [url])
        assert asked == ["kodim01.png"]
    assert contents(tmp_path) == {}


def test_a_body_without_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kodak, "_LARGEST", 100_000)
    endless = server(lambda handler, name: send(handler, bytes(200_000), length=1 << 40))
    with endless as (url, _), pytest.raises(ImageSetError, match="wrong SHA-256 sum"):
        kodak.download(tmp_path, SUMS, [url])


@pytest.mark.parametrize("limit", ["_SILENCE_S", "_FILE_S"])
def test_a_source_that_stops_is_left_and_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(kodak, limit, 0.2)
    over = threading.Event()

    def reply(handler: BaseHTTPRequestHandler, name: str) -> None:
        send(handler, b"a", length=1000)
        while limit == "_FILE_S" and not over.wait(0.05):  # a byte now and then, for ever
            handler.wfile.write(b"a")
        over.wait(10)

    with server(reply) as (slow, asked_slow), server(good) as (url, asked):
        kodak.download(tmp_path, SUMS, [slow, url])
        over.set()
        assert (asked_slow, asked) == (["kodim01.png"], list(FILES))
    assert contents(tmp_path) == FILES


def test_no_source_at_all_is_one_sentence_after_one_image(tmp_path: Path) -> None:
    with server(lambda handler, name: handler.send_error(503)) as (url, asked):
        with pytest.raises(ImageSetError) as caught:
            kodak.download(tmp_path, SUMS, [closed_port(), url])
        assert asked == ["kodim01.png"]
    message = str(caught.value)
    assert message.startswith("Kodak could not be fetched from 127.0.0.1:")
    for part in ("refused", "HTTP 503", "AEBENCH_DATA", "`samples`"):
        assert part in message
    assert "\n" not in message


def test_secrets_in_a_source_are_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ImageSetError) as caught:
        kodak.download(tmp_path, SUMS, [closed_port().replace("127", "me:SECRET@127") + "?token=SECRET"])
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("template", ["nonsense", "nope://x/{name}", "http://", "http://[/{name}", "http://a b/{name}"])
def test_a_source_that_is_no_url(tmp_path: Path, template: str) -> None:
    with pytest.raises(ImageSetError, match="could not be fetched"):
        kodak.download(tmp_path, SUMS, [template])


def test_a_cache_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with server(good) as (url, _), pytest.raises(ImageSetError, match=r"cannot be written to .*XDG_CACHE_HOME"):
        kodak.download(tmp_path / "file" / "kodak", SUMS, [url])


def test_killed_half_way_nothing_half_written_stays(tmp_path: Path) -> None:
    over = threading.Event()
    half = threading.Event()

    def reply(handler: BaseHTTPRequestHandler, name: str) -> None:
        if name != "kodim02.png":
            return good(handler, name)
        send(handler, FILES[name][:10_000], length=len(FILES[name]))
        handler.wfile.flush()
        half.set()
        over.wait(20)
        handler.close_connection = True

    code = "import sys; from pathlib import Path; from aebench.images import kodak; "
    code += f"kodak.download(Path(sys.argv[1]), {SUMS!r}, [sys.argv[2]])"
    with server(reply) as (url, _):
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "kodak"), url])
        assert half.wait(60)
        time.sleep(0.2)  # for the bytes to reach it
        process.kill()
        process.wait()
        over.set()
    assert contents(tmp_path / "kodak") == {"kodim01.png": FILES["kodim01.png"]}
    with server(good) as (url, asked):
        kodak.download(tmp_path / "kodak", SUMS, [url])
        assert asked == ["kodim02.png", "kodim03.png"]


def test_without_kodak_and_network_the_set_says_so(tmp_path: Path) -> None:
    assert describe("kodak").startswith("Kodak, 24 images, 24 of them to be downloaded to ")
    with pytest.raises(ImageSetError, match="could not be fetched"):
        resolve("kodak[17:]")
    assert not (tmp_path / "cache").exists()


def test_the_cache_is_where_xdg_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kodak.cache_folder() == tmp_path / "cache" / "aebench" / "kodak"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for value in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        assert kodak.cache_folder() == tmp_path / "home" / ".cache" / "aebench" / "kodak"


def test_the_known_sources() -> None:
    assert len(kodak.SOURCES) > 1
    assert kodak.sources() != list(kodak.SOURCES), "the environment replaces them"


def test_kodak_is_found_in_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "first").mkdir()
    folder = files[0].parent
    for data in (folder, folder.parent) if folder.name == "kodak" else (folder,):
        monkeypatch.setenv("AEBENCH_DATA", os.pathsep.join([str(tmp_path / "first"), str(data)]))
        refs = resolve("kodak")
        assert [ref.name for ref in refs] == list(kodak.sums())
        assert [Path(ref.uri) for ref in refs] == files
        assert resolve("kodak[17:]") == refs[17:]
        assert describe("kodak[:17]") == f"Kodak, 24 images in {folder} (AEBENCH_DATA), [:17] of them"
    assert open_rgb(refs[0].uri).shape == (512, 768, 3)
    assert caplog.text == ""


def test_kodak_is_downloaded_into_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[Path]) -> None:
    with server(lambda handler, name: send(handler, (files[0].parent / name).read_bytes())) as (url, asked):
        monkeypatch.setenv("AEBENCH_KODAK_SOURCES", f"{closed_port()} {url}")
        refs = resolve("kodak")
        assert resolve("kodak") == refs
        assert asked == list(kodak.sums())
    assert [Path(ref.uri) for ref in refs] == [tmp_path / "cache" / "aebench" / "kodak" / name for name in kodak.sums()]
    assert describe("kodak") == f"Kodak, 24 images in {tmp_path}/cache/aebench/kodak (cache)"


def test_a_folder_of_the_data_with_other_bytes_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    for path in files:
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.setenv("AEBENCH_DATA", os.pathsep.join([str(tmp_path), str(files[0].parent)]))
    (tmp_path / "kodim07.png").unlink()
    assert Path(resolve("kodak")[0].uri) == files[0]
    assert f"folder {tmp_path} is left out: kodim07.png is missing" in caplog.text
    (tmp_path / "kodim07.png").write_bytes(files[0].read_bytes())
    assert Path(resolve("kodak")[0].uri) == files[0]
    assert f"folder {tmp_path} is left out: kodim07.png is not the file of that name" in caplog.text
