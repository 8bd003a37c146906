"""Searching by an HTTP endpoint, against real ones on loopback."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from siuo_async.errors import ErrorKind
from siuo_async.network import proxy_for
from siuo_async.search.base import LONGEST_QUERY, NOTHING, SearchError
from siuo_async.search.http import MOST_HINT_S, TRIES
from tests.client.servers import closed_port, http, serving
from tests.search.endpoints import KEY, Naps, engine_of, failure, found, searcher_of

ONE = {"results": [{"title": "甲市", "content": "甲市的代码是二。"}]}


async def _html(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>Sign in</title>", content_type="text/html")


async def _never(_: web.Request) -> web.Response:
    await asyncio.sleep(60)
    raise AssertionError("nobody waits that long")


async def test_results_come_as_titled_entries() -> None:
    assert await found(ONE) == (type(NOTHING))("标题：甲市\n内容：甲市的代码是二。", 1)


async def test_a_query_arrives_as_it_was_meant_whatever_it_holds() -> None:
    query = "甲 & 乙=?#/../%41 +{key}"
    async with engine_of(ONE) as engine, searcher_of(engine.url) as searcher:
        await searcher.search(query)
    assert engine.queries == [query]


async def test_a_query_in_the_path_stays_one_segment() -> None:
    async with engine_of(ONE) as engine, searcher_of(f"http://127.0.0.1:{engine.port}/find/{{query}}/json") as searcher:
        await searcher.search("a/b?c")
    assert engine.requests[0].raw_path == "/find/a%2Fb%3Fc/json"


async def test_an_endless_query_is_sent_in_part() -> None:
    async with engine_of(ONE) as engine, searcher_of(engine.url) as searcher:
        await searcher.search("字" * 20_000)
    assert engine.queries == ["字" * LONGEST_QUERY]


async def test_an_empty_query_asks_nobody_and_finds_nothing() -> None:
    async with engine_of(ONE) as engine, searcher_of(engine.url) as searcher:
        assert await searcher.search(" \n\x00 ") == NOTHING
    assert engine.requests == []


async def test_no_results_are_a_result() -> None:
    assert await found({"results": []}) == NOTHING


async def test_the_contract_of_the_released_scripts_is_understood() -> None:
    got = await found({"final_text": "<标题>：甲市<内容> 二"})
    assert (got.text, got.hits) == ("<标题>：甲市<内容> 二", 1)


async def test_a_failure_told_in_a_good_reply_is_a_failure() -> None:
    error = await failure({"status": "error", "error": "index offline"})
    assert (error.kind, error.attempts) == (ErrorKind.SERVER, TRIES)
    assert "index offline" in error.message


async def test_a_server_error_is_tried_again() -> None:
    naps = Naps()
    got = await found(500, ONE, naps=naps)
    assert (got.hits, got.attempts, len(naps.taken)) == (1, 2, 1)


async def test_after_three_tries_it_is_given_up() -> None:
    async with engine_of(500) as engine, searcher_of(engine.url) as searcher:
        with pytest.raises(SearchError, match=r"answered 500: .*not now") as caught:
            await searcher.search("q")
    assert (len(engine.requests), caught.value.status, caught.value.retryable) == (3, 500, True)


@pytest.mark.parametrize(
    "status, kind",
    [(400, ErrorKind.BAD_REQUEST), (401, ErrorKind.AUTH), (402, ErrorKind.QUOTA), (403, ErrorKind.AUTH), (404, ErrorKind.NOT_FOUND)],
)
async def test_what_will_not_change_is_asked_once(status: int, kind: ErrorKind) -> None:
    error = await failure(status)
    assert (error.kind, error.status, error.attempts, error.retryable) == (kind, status, 1, False)


async def test_a_hint_of_the_server_is_obeyed() -> None:
    naps = Naps()
    await found(web.json_response({}, status=429, headers={"Retry-After": "7"}), ONE, naps=naps)
    assert 7 <= naps.taken[0] <= 8


async def test_others_keep_quiet_too_while_the_server_asks_for_it() -> None:
    naps = Naps()
    async with (
        engine_of(web.json_response({}, status=429, headers={"Retry-After": "30"}), ONE) as engine,
        searcher_of(engine.url, naps=naps) as searcher,
    ):
        await searcher.search("one")
        naps.taken.clear()
        await searcher.search("two")
    assert naps.taken == [pytest.approx(30, abs=3)]


async def test_a_hint_beyond_the_bound_is_not_waited_for() -> None:
    error = await failure(web.json_response({}, status=429, headers={"Retry-After": str(int(MOST_HINT_S) + 60)}))
    assert (error.kind, error.attempts, error.retry_after_s) == (ErrorKind.RATE_LIMITED, 1, MOST_HINT_S + 60)


async def test_html_is_no_result_even_with_status_200() -> None:
    error = await failure(_html)
    assert (error.kind, error.attempts) == (ErrorKind.GARBLED, TRIES)
    assert "HTML" in error.message
    assert "Sign in" not in error.message


@pytest.mark.parametrize("body", [b"", b"  ", b'{"results": [', b"plain words", b"null", b"12", b'"text"'])
async def test_what_is_no_json_object_or_list_is_no_result(body: bytes) -> None:
    assert (await failure(body)).kind is ErrorKind.GARBLED


async def test_a_shape_that_nobody_knows_is_an_error_that_names_its_fields_and_is_not_asked_again() -> None:
    error = await failure({"took": 3, "Treffer": []})
    assert (error.kind, error.attempts) == (ErrorKind.NOT_FOUND, 1)
    assert "Treffer, took" in error.message


async def test_an_endpoint_that_hangs_is_a_timeout() -> None:
    error = await failure(_never, timeout_s=0.05)
    assert (error.kind, error.attempts) == (ErrorKind.TIMEOUT, TRIES)
    assert "within 0.05 s" in error.message


async def test_a_body_that_stops_half_way_is_a_timeout_too() -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b'{"results"')
        await asyncio.sleep(60)
        return response

    assert (await failure(half, timeout_s=0.05)).kind is ErrorKind.TIMEOUT


async def test_a_refused_connection_is_tried_three_times() -> None:
    async with searcher_of(f"http://127.0.0.1:{closed_port()}/?q={{query}}") as searcher:
        with pytest.raises(SearchError, match="no connection to the search at 127") as caught:
            await searcher.search("q")
    assert (caught.value.kind, caught.value.attempts) == (ErrorKind.CONNECTION, TRIES)


@pytest.mark.parametrize(
    "raw, kind",
    [
        (http(body=b'{"results": [', length=400), ErrorKind.GARBLED),
        (b"what is this\r\n\r\n", ErrorKind.CONNECTION),
        (b"", ErrorKind.CONNECTION),
    ],
)
async def test_a_reply_that_is_cut_or_no_http_is_told_as_such(raw: bytes, kind: ErrorKind) -> None:
    async def script(_: object, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        writer.close()

    async with serving(script) as server, searcher_of(f"{server.url}?q={{query}}") as searcher:
        with pytest.raises(SearchError) as caught:
            await searcher.search("q")
    assert caught.value.kind is kind


async def test_a_megabyte_is_read_and_cut_to_the_bound() -> None:
    got = await found({"results": [{"title": "long", "content": "字" * 170_000}]})
    assert (len(got.text), got.cut) == (30_000, True)


async def test_a_body_beyond_two_megabytes_is_refused_once() -> None:
    error = await failure({"results": [{"content": "x" * 2_200_000}]})
    assert (error.kind, error.attempts) == (ErrorKind.BAD_REQUEST, 1)
    assert "longer than 2 MiB" in error.message


async def test_a_body_that_unpacks_beyond_the_bound_is_refused() -> None:
    async def packed(_: web.Request) -> web.Response:
        response = web.json_response({"results": [{"content": "x" * 40_000_000}]})
        response.enable_compression(web.ContentCoding.gzip)
        return response

    assert "longer than 2 MiB" in (await failure(packed)).message


async def test_another_encoding_is_read_where_the_server_names_it() -> None:
    body = '{"results": [{"content": "代码"}]}'.encode("gbk")
    got = await found(web.Response(body=body, headers={"Content-Type": "application/json; charset=gbk"}))
    assert got.text == "内容：代码"


async def test_the_marks_of_a_search_engine_are_taken_out_of_snippets() -> None:
    got = await found({"items": [{"title": "A &amp; B", "snippet": 'the <span class="hit">code</span> of <b>x</b> &lt; 2'}]})
    assert got.text == "标题：A & B\n内容：the code of x < 2"


async def test_never_more_than_allowed_are_on_the_way() -> None:
    async def slow(_: web.Request) -> web.Response:
        await asyncio.sleep(0.01)
        return web.json_response(ONE)

    async with engine_of(slow) as engine, searcher_of(engine.url, at_once=3) as searcher:
        await asyncio.gather(*(searcher.search(f"q{number}") for number in range(20)))
    assert engine.most == 3


async def test_a_pace_spreads_the_starts() -> None:
    starts: list[float] = []

    async def noted(_: web.Request) -> web.Response:
        starts.append(asyncio.get_running_loop().time())
        return web.json_response(ONE)

    async with engine_of(noted) as engine, searcher_of(engine.url, rpm=60 / 0.03) as searcher:
        await asyncio.gather(*(searcher.search(f"q{number}") for number in range(5)))
    assert starts[-1] - starts[0] >= 0.03 * 4 * 0.8


async def test_an_interrupted_search_stays_interrupted_and_frees_its_place() -> None:
    async with engine_of(_never, ONE) as engine, searcher_of(engine.url, at_once=1) as searcher:
        search = asyncio.create_task(searcher.search("one"))
        while not engine.requests:
            await asyncio.sleep(0)
        search.cancel()
        with pytest.raises(asyncio.CancelledError):
            await search
        assert (await searcher.search("two")).hits == 1


async def test_a_searcher_can_be_closed_twice_and_before_use() -> None:
    async with engine_of(ONE) as engine, searcher_of(engine.url) as searcher:
        await searcher.close()
        await searcher.search("q")
        await searcher.close()


async def test_the_proxy_of_the_usual_variables_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with engine_of(ONE) as proxy, searcher_of("http://search.invalid/find?q={query}") as searcher:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        proxy_for.cache_clear()
        assert (await searcher.search("q")).hits == 1
    proxy_for.cache_clear()
    assert proxy.requests[0].headers["Host"] == "search.invalid"


# keys


async def test_a_key_goes_as_a_bearer() -> None:
    async with engine_of(ONE) as engine, searcher_of(engine.url, key=KEY) as searcher:
        await searcher.search("q")
    assert engine.requests[0].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_key_goes_into_the_header_that_was_named_as_it_is() -> None:
    async with engine_of(ONE) as engine, searcher_of(engine.url, key=KEY, key_header="X-Token") as searcher:
        await searcher.search("q")
    headers = engine.requests[0].headers
    assert (headers["X-Token"], "Authorization" in headers) == (KEY, False)


async def test_a_key_goes_into_the_url_where_it_has_a_place_and_nowhere_else() -> None:
    key = "lab/7f3a9b&2c4d5e6f70"
    async with engine_of(ONE) as engine, searcher_of(f"{engine.url}&api_key={{key}}", key=key) as searcher:
        await searcher.search("{key}")
    request = engine.requests[0]
    assert (request.query["api_key"], request.query["q"], "Authorization" in request.headers) == (key, "{key}", False)


@pytest.mark.parametrize("reply", [{"status": "error", "error": f"key {KEY} is unknown"}, {"error": {"message": f"no {KEY[:14]}..."}}])
async def test_an_error_that_echoes_the_key_is_told_without_it(reply: object) -> None:
    error = await failure(reply, key=KEY)
    assert KEY[:12] not in str(error)
    assert "[key]" in str(error)


async def test_an_error_page_that_echoes_the_key_is_told_without_it() -> None:
    async def echo(request: web.Request) -> web.Response:
        return web.json_response({"error": f"bad request {request.path_qs}"}, status=400)

    key = "lab/7f3a9b&2c4d5e6f70"
    async with engine_of(echo) as engine, searcher_of(f"{engine.url}&api_key={{key}}", key=key) as searcher:
        with pytest.raises(SearchError, match="answered 400") as caught:
            await searcher.search("q")
    assert "7f3a9b" not in str(caught.value)


async def test_a_result_that_echoes_the_key_is_kept_without_it() -> None:
    assert (await found({"final_text": f"you sent {KEY}"}, key=KEY)).text == "you sent [key]"


# redirects


async def test_a_redirect_is_followed() -> None:
    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"/new?{request.query_string}"})

    async with engine_of(moved, ONE) as engine, searcher_of(engine.url, key=KEY) as searcher:
        assert (await searcher.search("q")).hits == 1
    assert [request.path for request in engine.requests] == ["/search", "/new"]
    assert engine.requests[1].headers["Authorization"] == f"Bearer {KEY}"


async def test_a_redirect_to_another_host_is_not_followed_with_a_key() -> None:
    async with engine_of(ONE) as other:
        away = web.Response(status=307, headers={"Location": f"http://localhost:{other.port}/"})
        error = await failure(away, key=KEY)
    assert (error.kind, error.attempts, other.requests) == (ErrorKind.NOT_FOUND, 1, [])
    assert "redirects to localhost, where the key must not go" in error.message


async def test_a_redirect_to_another_host_is_followed_without_a_key() -> None:
    async with engine_of(ONE) as other:
        got = await found(web.Response(status=307, headers={"Location": f"http://localhost:{other.port}/"}))
    assert (got.hits, len(other.requests)) == (1, 1)


async def test_a_circle_of_redirects_ends() -> None:
    error = await failure(web.Response(status=302, headers={"Location": "/search"}))
    assert "redirects more than 5 times" in error.message


@pytest.mark.parametrize("location", ["", "file:///etc/passwd", "http://a:b@127.0.0.1/", "http://[::1"])
async def test_a_redirect_to_no_usable_address_is_an_error(location: str) -> None:
    error = await failure(web.Response(status=302, headers={"Location": location}))
    assert (error.kind, error.attempts) == (ErrorKind.NOT_FOUND, 1)
