"""What an error reply means in each dialect: the kind that says what to do, or a block that is a result."""

from __future__ import annotations

from typing import Any

import pytest

from siuo_async.errors import CallError, ErrorKind
from siuo_async.providers.dialects.base import Dialect
from tests.providers.samples import ANTHROPIC, DIALECTS, GEMINI, OPENAI, reply


def openai(message: str = "m", code: Any = None, kind: Any = "invalid_request_error", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": None, "code": code} | fields}


def anthropic(kind: str, message: str = "m", error_code: str | None = None) -> dict[str, Any]:
    error = {"type": kind, "message": message} | ({"details": {"error_code": error_code}} if error_code else {})
    return {"type": "error", "error": error, "request_id": "req_1"}


def google(status: str, code: int = 400, message: str = "m", details: Any = ()) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": list(details)}}


def quota(quota_id: str) -> list[dict[str, Any]]:
    return [{"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": quota_id}]}]


FINE = {"hate": {"filtered": False}}
BLOCKS: dict[str, tuple[Dialect, int, Any, str]] = {
    "OpenAI invalid_prompt": (OPENAI, 400, openai(code="invalid_prompt"), "prompt"),
    "OpenAI content_policy_violation": (OPENAI, 400, openai(code="content_policy_violation"), "prompt"),
    "OpenAI cyber_policy": (OPENAI, 400, openai(code="cyber_policy"), "prompt"),
    "OpenAI image policy": (OPENAI, 400, openai(code="image_content_policy_violation"), "prompt"),
    "OpenAI picture, prose": (
        OPENAI,
        400,
        openai("Your input image may contain content that is not allowed by our safety system."),
        "prompt",
    ),
    "Azure": (
        OPENAI,
        400,
        openai(kind=None, code="content_filter", innererror={"code": "ResponsibleAIPolicyViolation"}),
        "prompt",
    ),
    "Azure, innererror only": (
        OPENAI,
        400,
        openai(inner_error={"code": "ResponsibleAIPolicyViolation", "content_filter_results": FINE}),
        "prompt",
    ),
    "OpenRouter moderation": (
        OPENAI,
        403,
        {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"], "flagged_input": "x"}}},
        "prompt",
    ),
    "OpenRouter moderation in a 200": (
        OPENAI,
        200,
        {"error": {"code": 403, "message": "flagged", "metadata": {"reasons": ["violence"]}}},
        "prompt",
    ),
    "xAI": (
        OPENAI,
        403,
        {"code": "permission-denied", "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"},
        "prompt",
    ),
    "DashScope code": (
        OPENAI,
        400,
        openai("Input data may contain inappropriate content.", "data_inspection_failed", "data_inspection_failed"),
        "prompt",
    ),
    "DashScope prose": (OPENAI, 400, openai("<400> InternalError.Algo.DataInspectionFailed: Input data"), "prompt"),
    "DashScope answer": (
        OPENAI,
        400,
        openai("Output data may contain inappropriate content.", "data_inspection_failed"),
        "answer",
    ),
    "Zhipu": (OPENAI, 400, {"error": {"code": "1301", "message": "x"}, "contentFilter": [{"role": "user"}]}, "prompt"),
    "Moonshot": (OPENAI, 400, openai("The request was rejected because it was considered high risk", None, "content_filter"), "prompt"),
    "Ark prompt": (OPENAI, 400, openai(code="InputTextRiskDetection", kind="BadRequest"), "prompt"),
    "Ark picture": (OPENAI, 400, openai(code="InputImageSensitiveContentDetected", kind="BadRequest"), "prompt"),
    "Ark answer": (OPENAI, 400, openai(code="OutputTextRiskDetection", kind="BadRequest"), "answer"),
    "DeepSeek": (OPENAI, 400, openai("Content Exists Risk"), "prompt"),
    "Mistral guardrail": (OPENAI, 403, {"message": "Request blocked by guardrail"}, "prompt"),
    "Anthropic": (ANTHROPIC, 400, anthropic("invalid_request_error", "Output blocked by content filtering policy"), "answer"),
}


@pytest.mark.parametrize("dialect, status, body, where", BLOCKS.values(), ids=BLOCKS)
def test_a_block_is_a_result_for_every_answer_asked_for(dialect: Dialect, status: int, body: Any, where: str) -> None:
    answers = dialect.read(reply(body, status), 3).answers
    assert [(answer.outcome, answer.where, answer.text) for answer in answers] == [("filtered", where, "")] * 3
    assert answers[0].reason


PER_DAY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"
PER_MINUTE = "GenerateRequestsPerMinutePerProjectPerModel"
SERVER, AUTH, QUOTA, NOT_FOUND = ErrorKind.SERVER, ErrorKind.AUTH, ErrorKind.QUOTA, ErrorKind.NOT_FOUND
RATE, BAD, ACCOUNT, GARBLED = ErrorKind.RATE_LIMITED, ErrorKind.BAD_REQUEST, ErrorKind.ACCOUNT, ErrorKind.GARBLED
ERRORS: dict[str, tuple[Dialect, int, Any, ErrorKind, str | None]] = {
    "OpenAI wrong key": (OPENAI, 401, openai(code="invalid_api_key"), AUTH, "invalid_api_key"),
    "OpenAI country": (OPENAI, 403, openai(code="unsupported_country"), AUTH, "unsupported_country"),
    "OpenAI model": (OPENAI, 404, openai(code="model_not_found"), NOT_FOUND, "model_not_found"),
    "OpenAI too large": (OPENAI, 413, openai(), BAD, "invalid_request_error"),
    "OpenAI context": (OPENAI, 400, openai(code="context_length_exceeded"), BAD, "context_length_exceeded"),
    "OpenAI bad picture": (OPENAI, 400, openai(code="invalid_image_format"), BAD, "invalid_image_format"),
    "OpenAI rate": (OPENAI, 429, openai(code="rate_limit_exceeded", kind="tokens"), RATE, "rate_limit_exceeded"),
    "OpenAI quota": (OPENAI, 429, openai(code="insufficient_quota", kind="insufficient_quota"), QUOTA, "insufficient_quota"),
    "OpenAI conflict": (OPENAI, 409, openai(), SERVER, "invalid_request_error"),
    "OpenAI timeout": (OPENAI, 408, openai(), SERVER, "invalid_request_error"),
    "OpenAI 500": (OPENAI, 500, openai(kind="server_error"), SERVER, "server_error"),
    "Moonshot quota": (OPENAI, 429, openai(kind="exceeded_current_quota_error"), QUOTA, "exceeded_current_quota_error"),
    "Moonshot overload": (OPENAI, 429, openai(kind="engine_overloaded_error"), RATE, "engine_overloaded_error"),
    "DeepSeek balance": (OPENAI, 402, openai("Insufficient Balance"), QUOTA, "invalid_request_error"),
    "Ark overdue": (OPENAI, 403, openai(code="AccountOverdueError"), QUOTA, "AccountOverdueError"),
    "vLLM code as int": (OPENAI, 400, openai(code=400, kind="BadRequestError"), BAD, "BadRequestError"),
    "vLLM old shape": (
        OPENAI,
        400,
        {"object": "error", "message": "m", "type": "BadRequestError", "param": None, "code": 400},
        BAD,
        "BadRequestError",
    ),
    "xAI permission": (OPENAI, 403, {"code": "permission-denied", "error": "No credits"}, AUTH, "permission-denied"),
    "Mistral 422": (OPENAI, 422, {"detail": [{"loc": ["body", "messages"], "msg": "bad", "type": "missing"}]}, BAD, "missing"),
    "Mistral 429": (OPENAI, 429, {"message": "Requests rate limit exceeded"}, RATE, None),
    "detail as text": (OPENAI, 404, {"detail": "Not Found"}, NOT_FOUND, None),
    "error as text": (OPENAI, 500, {"error": "out of memory"}, SERVER, None),
    "200 with an error": (OPENAI, 200, {"error": {"code": 502, "message": "m"}}, SERVER, "502"),
    "200 with a rate limit": (OPENAI, 200, {"error": {"code": 429, "message": "m"}}, RATE, "429"),
    "200 with a word": (OPENAI, 200, {"error": {"type": "authentication_error", "message": "m"}}, AUTH, "authentication_error"),
    "200 with an unknown error": (OPENAI, 200, {"error": {"message": "m"}}, GARBLED, None),
    "200 old error": (OPENAI, 200, {"object": "error", "message": "m", "code": 503}, SERVER, "503"),
    "Groq flex": (OPENAI, 498, openai(), SERVER, "invalid_request_error"),
    "rate limit under a 400": (OPENAI, 400, openai(code="rate_limit_exceeded"), RATE, "rate_limit_exceeded"),
    "Anthropic wrong key": (ANTHROPIC, 401, anthropic("authentication_error"), AUTH, "authentication_error"),
    "Anthropic permission": (ANTHROPIC, 403, anthropic("permission_error"), AUTH, "permission_error"),
    "Anthropic model": (ANTHROPIC, 404, anthropic("not_found_error"), NOT_FOUND, "not_found_error"),
    "Anthropic billing": (ANTHROPIC, 402, anthropic("billing_error"), QUOTA, "billing_error"),
    "Anthropic too large": (ANTHROPIC, 413, anthropic("request_too_large"), BAD, "request_too_large"),
    "Anthropic rate": (ANTHROPIC, 429, anthropic("rate_limit_error"), RATE, "rate_limit_error"),
    "Anthropic ramp": (ANTHROPIC, 429, anthropic("rate_limit_error", "m", "ramp_limit_exceeded"), RATE, "ramp_limit_exceeded"),
    "Anthropic spend": (
        ANTHROPIC,
        429,
        anthropic("rate_limit_error", "m", "enforced_spend_limit_reached"),
        QUOTA,
        "enforced_spend_limit_reached",
    ),
    "Anthropic contract": (
        ANTHROPIC,
        429,
        anthropic("rate_limit_error", "m", "contract_spend_limit_reached"),
        QUOTA,
        "contract_spend_limit_reached",
    ),
    "Anthropic on hold": (
        ANTHROPIC,
        400,
        anthropic("invalid_request_error", "m", "organization_on_hold"),
        ACCOUNT,
        "organization_on_hold",
    ),
    "Anthropic bad request": (ANTHROPIC, 400, anthropic("invalid_request_error"), BAD, "invalid_request_error"),
    "Anthropic overloaded": (ANTHROPIC, 529, anthropic("overloaded_error"), SERVER, "overloaded_error"),
    "Anthropic error in a 200": (ANTHROPIC, 200, anthropic("overloaded_error"), SERVER, "overloaded_error"),
    "Anthropic cmek": (ANTHROPIC, 503, anthropic("cmek_unavailable"), SERVER, "cmek_unavailable"),
    "Gemini bad request": (GEMINI, 400, google("INVALID_ARGUMENT"), BAD, "INVALID_ARGUMENT"),
    "Gemini wrong key": (
        GEMINI,
        400,
        google("INVALID_ARGUMENT", details=[{"reason": "API_KEY_INVALID"}]),
        AUTH,
        "API_KEY_INVALID",
    ),
    "Gemini region": (GEMINI, 400, google("FAILED_PRECONDITION"), AUTH, "FAILED_PRECONDITION"),
    "Gemini permission": (GEMINI, 403, google("PERMISSION_DENIED", 403), AUTH, "PERMISSION_DENIED"),
    "Gemini model": (GEMINI, 404, google("NOT_FOUND", 404), NOT_FOUND, "NOT_FOUND"),
    "Gemini per minute": (
        GEMINI,
        429,
        google("RESOURCE_EXHAUSTED", 429, details=quota(PER_MINUTE)),
        RATE,
        "RESOURCE_EXHAUSTED",
    ),
    "Gemini per day": (GEMINI, 429, google("RESOURCE_EXHAUSTED", 429, details=quota(PER_DAY)), QUOTA, "RESOURCE_EXHAUSTED"),
    "Gemini no details": (GEMINI, 429, google("RESOURCE_EXHAUSTED", 429), RATE, "RESOURCE_EXHAUSTED"),
    "Gemini list": (GEMINI, 429, [google("RESOURCE_EXHAUSTED", 429, details=quota(PER_DAY))], QUOTA, "RESOURCE_EXHAUSTED"),
    "Gemini list in a 200": (GEMINI, 200, [google("UNAVAILABLE", 503)], SERVER, "UNAVAILABLE"),
    "Gemini internal": (GEMINI, 500, google("INTERNAL", 500), SERVER, "INTERNAL"),
    "Gemini unavailable": (GEMINI, 503, google("UNAVAILABLE", 503), SERVER, "UNAVAILABLE"),
    "Gemini flagged account": (
        GEMINI,
        200,
        {"candidates": [{"finishReason": "PUP_LIMITED_DISABLED"}]},
        ACCOUNT,
        "PUP_LIMITED_DISABLED",
    ),
    "Gemini flagged account, prompt": (
        GEMINI,
        200,
        {"promptFeedback": {"blockReason": "PUP_LIMITED_DISABLED"}},
        ACCOUNT,
        "PUP_LIMITED_DISABLED",
    ),
}


@pytest.mark.parametrize("dialect, status, body, kind, code", ERRORS.values(), ids=ERRORS)
def test_an_error_has_the_kind_that_says_what_to_do(
    dialect: Dialect, status: int, body: Any, kind: ErrorKind, code: str | None
) -> None:
    with pytest.raises(CallError) as raised:
        dialect.read(reply(body, status), 1)
    assert (raised.value.kind, raised.value.code) == (kind, code)
    assert raised.value.message


UNSUPPORTED: dict[str, tuple[Dialect, Any, str]] = {
    "code and param": (OPENAI, openai(code="unsupported_value", param="temperature"), "temperature"),
    "top_p": (OPENAI, openai(code="unsupported_parameter", param="top_p"), "top_p"),
    "code, param in the message": (OPENAI, openai("Unsupported parameter: 'stop' is bad.", "unsupported_parameter"), "stop"),
    "unknown parameter": (OPENAI, openai(code="unknown_parameter", param="seed"), "seed"),
    "logprobs": (OPENAI, openai(code="unsupported_parameter", param="logprobs"), "top_logprobs"),
    "reasoning effort": (OPENAI, openai(code="unsupported_value", param="reasoning_effort"), "thinking_tokens"),
    "cap with code": (OPENAI, openai(code="unsupported_parameter", param="max_tokens"), "max_tokens"),
    "cap in prose": (
        OPENAI,
        openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."),
        "max_tokens",
    ),
    "vLLM n": (OPENAI, openai("n must be 1 when using greedy sampling, got 3.", 400, "BadRequestError"), "n"),
    "Mistral extra": (OPENAI, {"detail": [{"loc": ["body", "seed"], "msg": "Extra", "type": "extra_forbidden"}]}, "seed"),
    "Anthropic new version": (
        ANTHROPIC,
        anthropic("invalid_request_error", "temperature: Extra inputs are not permitted"),
        "temperature",
    ),
    "Anthropic new model": (
        ANTHROPIC,
        anthropic("invalid_request_error", "`temperature` is deprecated for this model."),
        "temperature",
    ),
    "penalty": (OPENAI, openai(code="unsupported_parameter", param="frequency_penalty"), "frequency_penalty"),
    "xAI penalty": (
        OPENAI,
        {"code": "Client specified an invalid argument", "error": "Argument not supported on this model: frequencyPenalty"},
        "frequency_penalty",
    ),
    "Groq logprobs": (OPENAI, openai("`logprobs` is not supported with this model"), "top_logprobs"),
    "schema, code and param": (OPENAI, openai(code="unsupported_parameter", param="response_format"), "answer_schema"),
    "schema, param alone": (OPENAI, openai(param="response_format"), "answer_schema"),
    "schema, part of the param": (OPENAI, openai(param="response_format.json_schema.strict"), "answer_schema"),
    "schema, prose": (
        OPENAI,
        openai("Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
        "answer_schema",
    ),
    "schema, none of it": (OPENAI, openai("This response_format type is unavailable now"), "answer_schema"),
    "schema, beyond the grammar": (
        OPENAI,
        openai("The JSON schema holds what the grammar lacks", 400, "BadRequestError"),
        "answer_schema",
    ),
    "schema, 422": (OPENAI, {"detail": [{"loc": ["body", "response_format"], "msg": "Extra", "type": "extra"}]}, "answer_schema"),
    "Anthropic schema": (
        ANTHROPIC,
        anthropic("invalid_request_error", "output_config.format: Extra inputs are not permitted"),
        "answer_schema",
    ),
    "Anthropic schema of a model": (
        ANTHROPIC,
        anthropic("invalid_request_error", "This model does not support output format."),
        "answer_schema",
    ),
    "Gemini schema": (
        GEMINI,
        google("INVALID_ARGUMENT", message="Unknown name \"responseJsonSchema\" at 'generation_config': Cannot find field."),
        "answer_schema",
    ),
    "Gemini JSON": (GEMINI, google("INVALID_ARGUMENT", message="Json mode is not enabled for models/m"), "answer_schema"),
    "Gemini logprobs": (GEMINI, google("INVALID_ARGUMENT", message="Logprobs is not enabled for models/m"), "top_logprobs"),
    "Gemini logprobs, newer": (
        GEMINI,
        google("INVALID_ARGUMENT", message="Unable to submit: Logprobs is not supported for this model."),
        "top_logprobs",
    ),
    "Gemini penalty": (GEMINI, google("INVALID_ARGUMENT", message="Penalty is not enabled for this model"), "frequency_penalty"),
    "Gemini candidates": (
        GEMINI,
        google("INVALID_ARGUMENT", message="Multiple candidates is not enabled for this model"),
        "n",
    ),
}


@pytest.mark.parametrize("dialect, body, param", UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_a_clear_400_names_the_parameter_to_leave_out(dialect: Dialect, body: Any, param: str) -> None:
    with pytest.raises(CallError) as raised:
        dialect.read(reply(body, 422 if "detail" in body else 400), 1)
    assert (raised.value.kind, raised.value.param) == (ErrorKind.UNSUPPORTED_PARAMETER, param)


def test_a_parameter_refused_under_403_does_not_stop_the_account() -> None:
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply(openai("You are not allowed to request logprobs from this model"), 403), 1)
    assert (raised.value.kind, raised.value.param) == (ErrorKind.UNSUPPORTED_PARAMETER, "top_logprobs")


def test_a_wrong_key_is_a_wrong_key_whatever_its_message_names() -> None:
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply(openai("Wrong key for response_format", code="invalid_api_key"), 401), 1)
    assert (raised.value.kind, raised.value.param) == (AUTH, None)


def test_a_request_that_is_too_long_is_not_taken_for_a_refused_schema() -> None:
    message = "Too many tokens: 9,000 in the messages, 40 in the response_format."
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply(openai(message, code="context_length_exceeded", param="messages"), 400), 1)
    assert (raised.value.kind, raised.value.param) == (BAD, None)


def test_a_block_that_names_the_schema_is_still_a_block() -> None:
    answers = OPENAI.read(reply(openai("response_format", code="content_policy_violation"), 400), 1).answers
    assert answers[0].outcome == "filtered"


def test_a_refused_field_that_is_no_parameter_of_ours_is_a_bad_request() -> None:
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply(openai(code="unsupported_parameter", param="top_k"), 400), 1)
    assert (raised.value.kind, raised.value.param) == (ErrorKind.BAD_REQUEST, None)


EVERY = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=DIALECTS)


@EVERY
@pytest.mark.parametrize(
    "status, kind",
    [
        *((status, BAD) for status in (400, 413, 422)),
        *((status, AUTH) for status in (401, 403)),
        *((status, SERVER) for status in (408, 409, 500, 502, 503, 504, 524, 529)),
        *((402, QUOTA), (404, NOT_FOUND), (429, RATE)),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>gateway</html>", b"null", b'{"error":null}', b"[1]", b'"no"'])
def test_an_error_body_of_any_shape_is_read_by_its_status(dialect: Dialect, status: int, kind: ErrorKind, body: bytes) -> None:
    with pytest.raises(CallError) as raised:
        dialect.read(reply(body, status), 1)
    assert (raised.value.kind, raised.value.status) == (kind, status)
    assert str(status) in raised.value.message


@EVERY
@pytest.mark.parametrize(
    "location, said",
    [
        ("https://login.example.org/x", "to login.example.org"),
        ("/v2/elsewhere", "another address of the same host"),
        ("http://[bad", "another address"),
        (None, "without saying where"),
    ],
)
def test_a_redirect_is_a_wrong_base_url_and_names_the_host(dialect: Dialect, location: str | None, said: str) -> None:
    with pytest.raises(CallError, match=said) as raised:
        dialect.read(reply(b"", 302, {"location": location} if location else {}), 1)
    assert raised.value.kind is ErrorKind.NOT_FOUND


def test_a_hint_of_the_server_comes_with_the_error() -> None:
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply(openai(), 429, {"retry-after": "7"}), 1)
    assert raised.value.retry_after_s == 7.0
    body = google("RESOURCE_EXHAUSTED", 429, details=[{"@type": "x/google.rpc.RetryInfo", "retryDelay": "26s"}])
    with pytest.raises(CallError) as raised:
        GEMINI.read(reply(body, 429), 1)
    assert raised.value.retry_after_s == 26.0


@pytest.mark.parametrize("status, billed", [(500, False), (504, True), (524, True), (429, False), (200, True)])
def test_an_error_after_acceptance_may_have_been_billed(status: int, billed: bool) -> None:
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply({"error": {"message": "m", "code": 500}}, status), 1)
    assert raised.value.maybe_billed is billed


def test_the_real_reason_of_an_upstream_is_in_the_message() -> None:
    error = {"code": 502, "message": "Provider returned error", "metadata": {"raw": "overloaded", "provider_name": "p"}}
    with pytest.raises(CallError, match="Provider returned error: overloaded"):
        OPENAI.read(reply({"error": error}, 502), 1)


def test_a_message_that_echoes_the_request_is_cut() -> None:
    with pytest.raises(CallError) as raised:
        OPENAI.read(reply(openai("x" * 100_000), 400), 1)
    assert len(raised.value.message) <= 1_000
