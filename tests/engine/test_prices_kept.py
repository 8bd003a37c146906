"""A run goes on with the prices it began with, so that its figures stay what they were."""

from __future__ import annotations

from typing import Any

from siuo_async.client.accounts import Environment, account_spec
from siuo_async.config import ModelConfig, Price, ProviderConfig, RunConfig
from siuo_async.engine.plan import prices_kept
from siuo_async.engine.spending import CONFIGURED, price_of

OLD = Price(input=1, output=2, source="genai-prices 0.2.3", date="2026-11-20")
NEW = Price(input=3, output=4, source="genai-prices 9.9", date="2027-01-01")
MINE = Price(input=5, output=6, source=CONFIGURED)


def priced(model: str, *, base_url: str | None = None, **settings: Any) -> Price | None:
    config = RunConfig.model_validate({"benchmark": "demo", **settings})
    providers = {"lab": ProviderConfig(base_url=base_url or "http://10.0.0.7:8000/v1"), **config.providers}
    asked = ModelConfig.model_validate(settings.get("models", [model])[0])
    return price_of(
        asked,
        config,
        account_spec(asked.provider, providers, Environment({"OPENAI_API_KEY": "k", "SIUO_SIM_URL": "http://127.0.0.1:1"})),
    )


def test_a_list_of_prices_that_was_updated_changes_no_run_that_began() -> None:
    assert prices_kept({"a": NEW}, {"a": OLD}, ()) == {"a": OLD}


def test_what_the_configuration_says_wins_over_what_a_run_began_with() -> None:
    assert prices_kept({"a": MINE}, {"a": OLD}, {"a"}) == {"a": MINE}


def test_a_price_that_the_configuration_gave_once_stays() -> None:
    assert prices_kept({"a": NEW}, {"a": MINE}, ()) == {"a": MINE}


def test_models_that_are_new_and_models_that_are_gone_both_have_theirs() -> None:
    assert prices_kept({"new": NEW}, {"gone": OLD}, ()) == {"new": NEW, "gone": OLD}


def test_the_users_word_for_a_model_goes_before_its_names_and_its_providers() -> None:
    given = {"input": 7, "output": 8}
    provider = {"lab": {"base_url": "http://10.0.0.7/v1", "price": {"input": 1, "output": 1}}}
    by_name = {"lab/m": {"input": 2, "output": 2}}
    model = {"model": "lab/m", "price": given}
    found = [
        priced("lab/m", models=[model], prices=by_name, providers=provider),
        priced("lab/m", prices=by_name, providers=provider),
        priced("lab/m", providers=provider),
        priced("lab/m"),
    ]
    assert [price and price.input for price in found] == [7, 2, 1, None]
    assert found[0] is not None
    assert found[0].source == CONFIGURED


def test_nothing_is_a_price_too() -> None:
    found = priced("lab/m", prices={"lab/m": {"input": 0, "output": 0, "source": "our own GPUs"}})
    assert found is not None
    assert (found.input, found.source) == (0, "our own GPUs")


def test_a_provider_of_ones_own_name_at_a_known_host_has_that_hosts_price() -> None:
    found = priced("lab/gpt-4o", base_url="https://api.openai.com/v1")
    assert found is not None
    assert found.input == 2.5


def test_simulated_models_have_a_price_that_says_it_is_made_up() -> None:
    found = priced("sim/openai-careful")
    assert found is not None
    assert found.source == "made up"
