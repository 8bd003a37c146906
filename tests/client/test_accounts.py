"""From a provider's name to what its account is made from, and to endpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from siuo_async.client.accounts import AccountSpec, Environment, account_spec
from siuo_async.client.controller import START_PER_S, Ceilings, Source
from siuo_async.client.registry import Registry
from siuo_async.config import ProviderConfig
from siuo_async.errors import ConfigError, StoppedEarly
from tests.client.servers import KEY, registry_for

CONFIGURED = {"lab": ProviderConfig(base_url="http://10.0.0.7:8000/v1"), "broken": ProviderConfig()}


def spec(name: str, variables: dict[str, str] | None = None, **config: object) -> AccountSpec:
    configured = {**CONFIGURED, name: ProviderConfig(**config)} if config else CONFIGURED  # type: ignore[arg-type]
    return account_spec(name, configured, Environment(variables or {}))


def test_a_key_of_the_environment_goes_before_the_one_of_a_dotenv_file(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("OPENAI_API_KEY=from-file\nANTHROPIC_API_KEY=only-file\nOPENAI_BASE_URL=https://evil.example/v1\n")
    environment = Environment({"OPENAI_API_KEY": "from-env"}, dotenv)
    assert account_spec("openai", {}, environment).key == "from-env"
    assert account_spec("anthropic", {}, environment).key == "only-file"


def test_authorities_that_are_not_there_matter_only_where_somebody_has_to_prove_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/authorities.pem")
    assert spec("lab").trusted is True
    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        spec("elsewhere", base_url="https://api.example/v1")


def test_a_base_url_in_a_dotenv_file_counts_for_nothing(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("OPENAI_API_KEY=k\nOPENAI_BASE_URL=https://evil.example/v1\n")
    found = account_spec("openai", {}, Environment({}, dotenv))
    assert found.route("gpt-4o")[1] == "https://api.openai.com/v1"
    assert found.identity == "openai"


@pytest.mark.parametrize(
    "variables, configured, expected",
    [
        ({}, None, "https://api.openai.com/v1"),
        ({"OPENAI_BASE_URL": "http://gateway.example/v1/"}, None, "http://gateway.example/v1"),
        ({"OPENAI_BASE_URL": "http://gateway.example/v1"}, "http://mine.example:8000/v1", "http://mine.example:8000/v1"),
    ],
)
def test_the_base_url_is_the_configured_one_then_the_environments_then_the_presets(
    variables: dict[str, str], configured: str | None, expected: str
) -> None:
    found = spec("openai", {"OPENAI_API_KEY": "k", **variables}, **({"base_url": configured} if configured else {}))
    assert found.route("gpt-4o")[1] == expected


@pytest.mark.parametrize(
    "name, config, variables, expected",
    [
        ("openai", {}, {}, "openai"),
        ("openai", {}, {"OPENAI_BASE_URL": "https://eu.api.openai.com/v1"}, "openai"),
        ("openai", {}, {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, "openai@127.0.0.1:9"),
        ("openai", {"base_url": "https://proxy.example/v1"}, {}, "openai@proxy.example:443"),
        ("openai", {"base_url": "https://proxy.example/v1", "identity": "openai-eu"}, {}, "openai-eu"),
        ("openai", {}, {"OPENAI_BASE_URL": "https://api.openai.com.evil.example/v1"}, "openai@api.openai.com.evil.example:443"),
        ("lab", {"base_url": "http://10.0.0.7:8000/v1"}, {}, "lab@10.0.0.7:8000"),
        ("sim", {}, {"SIUO_SIM_URL": "http://127.0.0.1:7777"}, "sim"),
    ],
)
def test_an_identity_is_the_providers_name_only_at_its_own_hosts(
    name: str, config: dict[str, str], variables: dict[str, str], expected: str
) -> None:
    assert spec(name, {"OPENAI_API_KEY": "k", **variables}, **config).identity == expected


@pytest.mark.parametrize(
    "name, variables, config, says",
    [
        ("opanai", {}, {}, "unknown provider 'opanai': did you mean 'openai'?"),
        ("zzz", {}, {}, "unknown provider 'zzz': known are anthropic, broken, gemini, lab, openai, sim"),
        ("openai", {}, {}, "no key for 'openai': set OPENAI_API_KEY in the environment or in a .env file"),
        ("openai", {"OPENAI_API_KEY": "  "}, {}, "no key for 'openai'"),
        ("gemini", {}, {}, "set GOOGLE_API_KEY or GEMINI_API_KEY"),
        ("openai", {"OPENAI_API_KEY": "a b"}, {}, "OPENAI_API_KEY holds blanks"),
        ("openai", {"OPENAI_API_KEY": "k\u200b"}, {}, "OPENAI_API_KEY holds blanks"),
        ("broken", {}, {}, "provider 'broken' has no base URL; add `base_url:` under `providers: broken:`"),
        ("lab", {}, {"base_url": "10.0.0.7:8000"}, "is no base URL"),
        ("lab", {}, {"base_url": "http://me:word@10.0.0.7/v1"}, "must hold no user or password"),
        ("lab", {}, {"base_url": "http://:word@10.0.0.7/v1"}, "must hold no user or password"),
        ("lab", {}, {"base_url": "http://10.0.0.7/v1", "key_env": "LAB_KEY"}, "no key for 'lab': set LAB_KEY"),
        ("sim", {}, {}, "provider 'sim' is the simulator"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_with_the_way_out(
    name: str, variables: dict[str, str], config: dict[str, str], says: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        spec(name, variables, **config)
    assert says in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


def test_a_configured_server_speaks_openais_dialect_and_needs_no_key() -> None:
    found = spec("lab")
    dialect, base_url, _ = found.route("qwen")
    assert (dialect.name, base_url, found.key) == ("openai", "http://10.0.0.7:8000/v1", None)


def test_a_configured_server_can_have_another_dialect_and_a_key_of_its_own() -> None:
    found = spec("lab", {"LAB_KEY": KEY, "ANTHROPIC_API_KEY": "not-this"}, base_url="http://h/", dialect="anthropic", key_env="LAB_KEY")
    assert (found.route("m")[0].name, found.key) == ("anthropic", KEY)


def test_another_host_never_gets_the_providers_key_by_name_alone() -> None:
    assert spec("lab", {"OPENAI_API_KEY": "theirs"}).key is None


async def test_a_key_is_in_no_repr() -> None:
    environment = Environment({"LAB_KEY": KEY})
    configured = {"lab": ProviderConfig(base_url="http://h/v1", key_env="LAB_KEY")}
    registry = Registry(lambda name: account_spec(name, configured, environment))
    endpoint = registry.endpoint("lab", "m", {})
    shown = [environment, account_spec("lab", configured, environment), endpoint, endpoint.account, registry]
    assert endpoint.account.key == KEY
    assert not any(KEY in repr(value) for value in shown)
    await registry.close()


async def test_a_judge_that_is_also_a_target_is_the_same_endpoint() -> None:
    registry = registry_for({"lab": "http://h/v1"})
    assert registry.endpoint("lab", "m", {}) is registry.endpoint("lab", "m", {})
    assert len(registry.endpoints) == 1
    await registry.close()


@pytest.mark.parametrize("limit_group, shared", [("account", True), ("model", False), (None, False)])
async def test_models_share_limits_where_the_account_is_limited_as_a_whole(limit_group: str | None, shared: bool) -> None:
    registry = registry_for({"lab": "http://h/v1"}, config={"limit_group": limit_group})
    one, two = registry.endpoint("lab", "one", {}), registry.endpoint("lab", "two", {})
    assert (one.group is two.group) is shared
    assert one.account is two.account
    await registry.close()


@pytest.mark.parametrize(
    "settings, config, ceilings",
    [
        ({}, {}, Ceilings()),
        ({"concurrency": 300}, {"concurrency": 7}, Ceilings(slots=300)),
        ({"concurrency": {"other": 300}}, {"concurrency": 7}, Ceilings(slots=7)),
        ({"rpm": 120}, {}, Ceilings(calls_per_s=2.0)),
        ({"rpm": {"lab": 60}, "tpm": {"lab": 600}}, {"rpm": 6, "tpm": 60}, Ceilings(calls_per_s=1.0, tokens_per_s=10.0)),
        ({}, {"rpm": 6, "tpm": 60}, Ceilings(calls_per_s=0.1, tokens_per_s=1.0)),
    ],
)
async def test_the_users_limits_go_before_the_configured_ones(
    settings: dict[str, object], config: dict[str, object], ceilings: Ceilings
) -> None:
    registry = registry_for({"lab": "http://h/v1"}, config=config, **settings)
    assert registry.endpoint("lab", "m", {}).group.controller.ceilings == ceilings
    await registry.close()


PACES = [
    ("http://127.0.0.1:8000/v1", {}, None),
    ("http://127.8.9.1:8000/v1", {}, None),
    ("http://localhost:8000/v1", {}, None),
    ("http://[::1]:8000/v1", {}, None),
    ("https://api.example/v1", {}, START_PER_S),
    ("http://10.0.0.7:8000/v1", {}, START_PER_S),
    ("http://localhost.example/v1", {}, START_PER_S),
    ("https://api.example/v1", {"tpm": 6_000}, START_PER_S),
    ("https://api.example/v1", {"concurrency": 300}, None),
    ("https://api.example/v1", {"concurrency": {"other": 300}}, START_PER_S),
    ("https://api.example/v1", {"rpm": 6_000}, 100.0),
    ("http://localhost:8000/v1", {"rpm": 6_000}, 100.0),
]


@pytest.mark.parametrize("url, settings, per_s", PACES)
async def test_only_a_stranger_elsewhere_is_approached_slowly_and_not_where_the_user_says_how_fast(
    url: str, settings: dict[str, object], per_s: float | None
) -> None:
    registry = registry_for({"lab": url}, **settings)
    assert registry.endpoint("lab", "m", {}).group.controller.calls_per_s == per_s
    await registry.close()


async def test_tokens_are_counted_from_the_start_where_the_user_limits_them() -> None:
    registry = registry_for({"lab": "http://h/v1", "other": "http://g/v1"}, tpm={"lab": 6_000})
    limited, free = (registry.endpoint(name, "m", {}).group.controller for name in ("lab", "other"))
    assert limited.limit_of("tokens") == (100.0, Source.USER)
    assert limited.counts_tokens
    assert not free.counts_tokens
    await registry.close()


async def test_stopping_an_account_stops_its_endpoints_and_no_others() -> None:
    registry = registry_for({"lab": "http://h/v1", "other": "http://g/v1"})
    one, two, else_ = registry.endpoint("lab", "1", {}), registry.endpoint("lab", "2", {}), registry.endpoint("other", "1", {})
    one.account.stop(StoppedEarly("enough"))
    assert one.halt.reason is not None
    assert two.halt.reason is not None
    assert else_.halt.reason is None
    await registry.close()


@pytest.mark.parametrize(
    "name, variables, config, said",
    [
        ("openai", {}, {}, []),
        ("openai", {"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, {}, []),
        (
            "openai",
            {"OPENAI_BASE_URL": "https://gw.example/v1"},
            {},
            ["OPENAI_API_KEY is sent to gw.example, which is not openai's own"],
        ),
        ("openai", {}, {"base_url": "https://gw.example/v1"}, ["since the configuration says so"]),
        ("openai", {"OPENAI_BASE_URL": "http://gw.example/v1"}, {}, ["not openai's own", "readable by anybody on the way"]),
        (
            "lab",
            {"LAB_KEY": "k"},
            {"base_url": "http://gw.example/v1", "key_env": "LAB_KEY"},
            ["LAB_KEY is sent to http://gw.example"],
        ),
        (
            "lab",
            {},
            {"base_url": "https://gw.example/v1", "key_env": "OPENAI_API_KEY"},
            ["not openai's own host"],
        ),
        ("lab", {"LAB_KEY": "k"}, {"base_url": "http://10.0.0.7/v1", "key_env": "LAB_KEY"}, []),
        ("lab", {"LAB_KEY": "k"}, {"base_url": "http://vllm:8000/v1", "key_env": "LAB_KEY"}, []),
        ("lab", {}, {"base_url": "http://gw.example/v1"}, []),
    ],
)
def test_where_a_key_goes_is_told_where_it_may_surprise(
    name: str, variables: dict[str, str], config: dict[str, str], said: list[str]
) -> None:
    found = spec(name, {"OPENAI_API_KEY": "k", **variables}, **config).notices()
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


def test_a_providers_own_host_is_never_asked_in_the_open() -> None:
    with pytest.raises(ConfigError, match="readable by anybody; write https://"):
        spec("openai", {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://api.openai.com/v1"})


@pytest.mark.parametrize("url", ["http://h/v1?key=s3cret", "http://h/v1#s3cret", "ftp://me:s3cret@h/v1", "https://me:s3@cret@h/v1?a"])
def test_an_unusable_base_url_is_shown_without_what_may_be_secret_in_it(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        spec("lab", base_url=url)
    assert "s3" not in str(caught.value)


def test_all_that_an_environment_keeps_secret_is_known(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("OTHER_KEY=other-0123456789\nNAME=plain-0123456789\n")
    variables = {"LAB_KEY": KEY, "HTTPS_PROXY": "http://u:pass-word@p:1", "OPENAI_API_KEY": "wordlike", "EDITOR": "vi-0123456789"}
    configured = {"lab": ProviderConfig(base_url="http://h/v1", key_env="LAB_KEY")}
    found = account_spec("lab", configured, Environment(variables, tmp_path / ".env")).secrets
    assert {KEY, "other-0123456789", "pass-word", "wordlike"} < set(found.keys)
    assert not {"plain-0123456789", "vi-0123456789"} & set(found.keys)
    assert "0123" not in repr(found)
