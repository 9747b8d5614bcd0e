"""What is done to a built front end."""

import json
from pathlib import Path

import pytest

from youworker_app.frontend import (
    PLACEHOLDER_ORIGIN,
    FrontendPlugin,
    read_script_hashes,
    script_hashes,
    use_own_origin,
)

WEBSOCKET = PLACEHOLDER_ORIGIN.replace("http", "ws")


@pytest.mark.parametrize("quote", ['"', "'", "`"])
def test_each_literal_address_becomes_the_pages_own(quote: str) -> None:
    script = f"var e={{PING:{quote}{PLACEHOLDER_ORIGIN}/ping{quote},EVENT:{quote}{WEBSOCKET}/_event{quote}}}"
    assert use_own_origin(script) == (
        'var e={PING:(location.origin+"/ping"),EVENT:(location.origin.replace(/^http/,"ws")+"/_event")}'
    )


def test_an_address_without_a_path_is_the_origin() -> None:
    assert use_own_origin(f'a="{PLACEHOLDER_ORIGIN}"') == 'a=(location.origin+"")'


def test_other_text_stays() -> None:
    script = 'a="http://127.0.0.1:8000/ping";b="https://react.dev"'
    assert use_own_origin(script) == script


def test_inline_scripts_are_hashed_as_csp_wants() -> None:
    # The example of the Content-Security-Policy specification's section on hashes.
    assert script_hashes("<script>alert('Hello, world.');</script>") == [
        "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
    ]


def test_every_character_of_a_script_counts() -> None:
    scripts = ("1", " 1", "1\n", "1&lt;2", "1<2", "è")
    assert len({script_hashes(f"<script type=module>{text}</script>")[0] for text in scripts}) == len(scripts)


def test_scripts_with_an_address_and_data_blocks_need_none() -> None:
    page = '<script src="/a.js"></script><script type="application/json">{}</script><script>1&lt;2</script>'
    assert len(script_hashes(page)) == 1


def test_the_plugin_rewrites_and_records(tmp_path: Path) -> None:
    static = tmp_path / "client"
    (static / "assets").mkdir(parents=True)
    (static / "assets" / "env-12345678.js").write_text(f'e="{WEBSOCKET}/_event"', encoding="utf-8")
    (static / "index.html").write_text("<script>1</script>", encoding="utf-8")
    (static / "chat.html").write_text("<script>2</script><script>1</script>", encoding="utf-8")
    FrontendPlugin().post_build(static_dir=static)
    assert "invalid" not in (static / "assets" / "env-12345678.js").read_text(encoding="utf-8")
    recorded = read_script_hashes(tmp_path / "script-hashes.json")
    assert recorded == tuple(sorted(script_hashes("<script>1</script><script>2</script>")))


def test_a_build_that_could_not_reach_its_server_is_refused(tmp_path: Path) -> None:
    static = tmp_path / "client"
    static.mkdir()
    (static / "index.html").write_text(f"<a href='{PLACEHOLDER_ORIGIN}/x?y'>", encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"index\.html"):
        FrontendPlugin().post_build(static_dir=static)


def test_without_a_build_there_are_no_hashes(tmp_path: Path) -> None:
    assert read_script_hashes(tmp_path / "none.json") == ()


def test_recorded_hashes_are_read(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps(["sha256-a"]), encoding="utf-8")
    assert read_script_hashes(tmp_path / "h.json") == ("sha256-a",)
