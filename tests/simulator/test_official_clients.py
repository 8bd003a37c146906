"""The providers' own clients take the simulator for the real thing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from siuo_async.simulator import Settings, SimulatorProcess, truth_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecatedSince20"),
]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(240, 256)) * 4
QUESTION = "What is shown?"
SCHEMA = {"type": "object", "properties": {"label": {"type": "integer"}}, "required": ["label"], "additionalProperties": False}
TRIES = 40


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with SimulatorProcess() as at:
        yield at


@pytest.fixture(scope="module")
def limited() -> Iterator[str]:
    with SimulatorProcess(Settings(rpm=1)) as at:
        yield at


def first(ask: Callable[[], Any], holds: Callable[[Any], bool]) -> Any:
    """The first of many replies that `holds`; equal requests get different answers."""
    for _ in range(TRIES):
        reply = ask()
        if holds(reply):
            return reply
    pytest.fail("it never came")


class TestOpenAI:
    @staticmethod
    def ask(url: str, model: str = "careful", key: str = "k", **more: Any) -> Any:
        openai = pytest.importorskip("openai")
        with openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0) as client:
            return client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": QUESTION}], max_completion_tokens=500, **more
            )

    def test_it_gets_answers(self, url: str) -> None:
        reply = self.ask(url, n=3, temperature=0)
        assert all(truth_of(choice.message.content) for choice in reply.choices)
        assert len(reply.choices) == 3
        assert reply.usage.total_tokens == reply.usage.prompt_tokens + reply.usage.completion_tokens
        assert reply._request_id.startswith("req_")

    def test_it_reads_log_probabilities(self, url: str) -> None:
        choice = self.ask(url, logprobs=True, top_logprobs=3).choices[0]
        tokens = choice.logprobs.content
        assert "".join(token.token for token in tokens) == choice.message.content
        assert [likely.token for likely in tokens[0].top_logprobs].count(tokens[0].token) == 1

    def test_it_gets_what_fits_its_schema(self, url: str) -> None:
        told = {"type": "json_schema", "json_schema": {"name": "v", "strict": True, "schema": SCHEMA}}
        reply = self.ask(url, "judge", response_format=told)
        assert set(orjson.loads(reply.choices[0].message.content)) == {"label"}

    def test_it_sees_a_refusal(self, url: str) -> None:
        reply = first(lambda: self.ask(url, "decliner"), lambda reply: reply.choices[0].message.refusal)
        assert reply.choices[0].message.content is None

    @pytest.mark.parametrize(
        "model, key, name",
        [
            ("careful", "wrong", "AuthenticationError"),
            ("nobody", "k", "NotFoundError"),
            ("quota", "k", "RateLimitError"),
            ("broken", "k", "InternalServerError"),
        ],
    )
    def test_it_raises_its_own_errors(self, url: str, model: str, key: str, name: str) -> None:
        openai = pytest.importorskip("openai")
        with pytest.raises(getattr(openai, name)):
            self.ask(url, model, key)

    def test_it_sees_the_rate_limit(self, limited: str) -> None:
        openai = pytest.importorskip("openai")
        self.ask(limited, "openai-careful")
        with pytest.raises(openai.RateLimitError) as caught:
            self.ask(limited, "openai-careful")
        assert caught.value.code == "rate_limit_exceeded"
        assert int(caught.value.response.headers["retry-after"]) > 50


class TestAnthropic:
    @staticmethod
    def ask(url: str, model: str = "careful", key: str = "k", **more: Any) -> Any:
        anthropic = pytest.importorskip("anthropic")
        with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as client:
            return client.messages.create(model=model, max_tokens=500, messages=[{"role": "user", "content": QUESTION}], **more)

    def test_it_gets_an_answer(self, url: str) -> None:
        reply = self.ask(url)
        assert truth_of(reply.content[0].text)
        assert (reply.stop_reason, reply.model) == ("end_turn", "careful")
        assert reply._request_id.startswith("req_")

    def test_it_sees_a_refusal(self, url: str) -> None:
        reply = first(lambda: self.ask(url, "decliner"), lambda reply: reply.stop_reason == "refusal")
        assert (reply.content, reply.stop_details.type) == ([], "refusal")

    @pytest.mark.parametrize(
        "model, key, name",
        [
            ("careful", "wrong", "AuthenticationError"),
            ("nobody", "k", "NotFoundError"),
            ("quota", "k", "RateLimitError"),
            ("on-hold", "k", "BadRequestError"),
        ],
    )
    def test_it_raises_its_own_errors(self, url: str, model: str, key: str, name: str) -> None:
        anthropic = pytest.importorskip("anthropic")
        with pytest.raises(getattr(anthropic, name)):
            self.ask(url, model, key)

    def test_it_gets_what_fits_its_schema(self, url: str) -> None:
        reply = self.ask(url, "judge", output_config={"format": {"type": "json_schema", "schema": SCHEMA}})
        assert set(orjson.loads(reply.content[0].text)) == {"label"}

    def test_it_may_not_send_a_temperature(self, url: str) -> None:
        anthropic = pytest.importorskip("anthropic")
        with pytest.raises(anthropic.BadRequestError, match="Extra inputs are not permitted"):
            self.ask(url, extra_body={"temperature": 0})

    def test_it_sees_the_rate_limit(self, limited: str) -> None:
        anthropic = pytest.importorskip("anthropic")
        self.ask(limited, "anthropic-careful")
        with pytest.raises(anthropic.RateLimitError):
            self.ask(limited, "anthropic-careful")


class TestGemini:
    @staticmethod
    def ask(url: str, model: str = "careful", key: str = "k", **config: Any) -> Any:
        genai = pytest.importorskip("google.genai")
        types = genai.types
        client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url))
        try:
            return client.models.generate_content(
                model=model,
                contents=[types.Part.from_bytes(data=PNG, mime_type="image/png"), QUESTION],
                config=types.GenerateContentConfig(max_output_tokens=500, **config),
            )
        finally:
            client.close()

    def test_it_gets_answers(self, url: str) -> None:
        reply = self.ask(url, candidate_count=3, temperature=0, system_instruction="Be brief.")
        assert len(reply.candidates) == 3
        assert truth_of(reply.candidates[0].content.parts[0].text)
        assert reply.model_version == "careful"

    def test_it_reads_log_probabilities(self, url: str) -> None:
        reply = self.ask(url, response_logprobs=True, logprobs=3)
        result = reply.candidates[0].logprobs_result
        assert "".join(token.token for token in result.chosen_candidates) == reply.text
        assert len(result.top_candidates[0].candidates) == 3
        assert reply.candidates[0].avg_logprobs < 0

    def test_it_gets_what_fits_its_schema(self, url: str) -> None:
        reply = self.ask(url, "judge", response_mime_type="application/json", response_json_schema=SCHEMA)
        assert set(orjson.loads(reply.text)) == {"label"}

    def test_it_sees_a_blocked_answer(self, url: str) -> None:
        reply = first(lambda: self.ask(url, "decliner"), lambda reply: reply.text is None)
        assert reply.candidates[0].finish_reason == "PROHIBITED_CONTENT"

    def test_it_sees_a_blocked_prompt(self, url: str) -> None:
        reply = first(lambda: self.ask(url, "filtered-prompt"), lambda reply: not reply.candidates)
        assert reply.prompt_feedback.block_reason == "SAFETY"

    @pytest.mark.parametrize(
        "model, key, code, status",
        [
            ("careful", "wrong", 400, "INVALID_ARGUMENT"),
            ("nobody", "k", 404, "NOT_FOUND"),
            ("quota", "k", 429, "RESOURCE_EXHAUSTED"),
            ("broken", "k", 500, "INTERNAL"),
        ],
    )
    def test_it_raises_its_own_errors(self, url: str, model: str, key: str, code: int, status: str) -> None:
        errors = pytest.importorskip("google.genai.errors")
        with pytest.raises(errors.ServerError if code >= 500 else errors.ClientError) as caught:
            self.ask(url, model, key)
        assert (caught.value.code, caught.value.status) == (code, status)

    def test_it_sees_the_rate_limit(self, limited: str) -> None:
        errors = pytest.importorskip("google.genai.errors")
        self.ask(limited, "gemini-careful")
        with pytest.raises(errors.ClientError) as caught:
            self.ask(limited, "gemini-careful")
        assert caught.value.code == 429
