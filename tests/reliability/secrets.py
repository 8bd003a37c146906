"""Servers and errors that try to get a key into what a run leaves behind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from pathlib import Path

from tests.cli.program import Done, Siuo, journal, make_data
from tests.reliability.faults import Fault, Scene, Seen
from tests.reliability.secrets_process import FAULTS as PROCESS
from tests.reliability.secrets_process import quick_starts, shown
from tests.reliability.secrets_search import bytes_of, leaks
from tests.reliability.secrets_servers import ECHOES, Asked, Reply, answer, echoing, error, serving
from tests.reliability.secrets_tls import FAULTS as TLS

KEY = "sk-lab/4f1C+9a77=e0(x)%2Qz$7Wm"
"""With everything that a pattern, a URL or JSON could stumble over."""
OTHERS = {
    "OPENAI_API_KEY": KEY,
    "ANTHROPIC_API_KEY": "anthropics-own-0123-KEY-abcdef",
    "GEMINI_API_KEY": "AIzaSyGeminis0wn_0123456789-abcdefgh",
    "GITLAB_TOKEN": "glpat-somebodys-7x7x7x7x7x7x",
    "HTTPS_PROXY": "http://user:pr0xy-pass-word-99@proxy.invalid:3128",
}


def run(siuo: Siuo, *words: str | Path, code: int | None = None, **env: str) -> Done:
    """A command of the real program, in a process of its own."""
    return siuo(*words, code=code, env=env)


def _quick(inflict: Callable[[Scene], Seen]) -> Callable[[Scene], Seen]:
    """A fault of many commands, none of which imports the program anew."""

    @wraps(inflict)
    def quickly(scene: Scene) -> Seen:
        with quick_starts():
            return inflict(scene)

    return quickly


def echoed(scene: Scene) -> Seen:
    """One run asks a model for each way of telling the key, then everything that reads a run is shown it."""
    seen, folder = Seen(), scene.folder / "run"
    data = make_data(folder / "data", 2)
    siuo = Siuo(folder)
    models = [word for name in ECHOES for word in ("-m", f"openai/{name}")]
    with serving(echoing) as server:
        env = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": KEY}
        words = ("run", "siuo-gen", "--data", data, *models, "--no-judge", "--concurrency", "8", "--answers", "1", "--limit", "2")
        done = [run(siuo, *words, **env), run(siuo, *words, "--json", **env)]
        path = next(folder.glob("results/*"))
        done += [run(siuo, "report", path, "--format", form, **env) for form in ("markdown", "json")]
        done += [run(siuo, *each, **env) for each in (("check", path), ("score", path), ("export", path), ("ls",), ("providers",))]
    asked = {each.model for each in server.asked}
    seen.times = len(asked)
    seen.expect(asked == set(ECHOES), f"never asked: {sorted(set(ECHOES) - asked)}")
    seen.expect(all(each.key == KEY for each in server.asked), "the key that was sent is not the one that was given")
    seen.expect(all(each.code != 1 for each in done), f"exit codes {[each.code for each in done]}\n{done[0].err[-2000:]}")
    seen.broken += leaks(folder, KEY, shown=shown(*done))
    records = journal(path)
    said = {record["model"]: record for record in records}
    for name in ("text", "text-url", "text-base64"):
        seen.expect("[key]" in said[name]["answers"][0]["text"], f"{name}: the answer does not say that a key was taken out")
        seen.expect(said[name].get("redacted") is True, f"{name}: the record is not marked")
    seen.expect("held a key of yours" in done[0].out + done[0].err, "the report does not say that an answer held a key")
    seen.words = f"{len(ECHOES)} places and ways, {bytes_of(folder):,} bytes and {len(done)} commands' output searched: {_none(seen)}"
    return seen


def _none(seen: Seen) -> str:
    return "the key is nowhere" if not seen.broken else "LEAKS"


def others(scene: Scene) -> Seen:
    """A gateway mixes up its clients and repeats keys that were never sent to it, in errors and in answers."""
    seen, folder = Seen(), scene.folder / "run"
    data = make_data(folder / "data", 2)
    hidden = {**OTHERS, "MISTRAL_API_KEY": "only-in-a-dotenv-file-0123456789"}
    told = [*OTHERS.values(), hidden["MISTRAL_API_KEY"], "pr0xy-pass-word-99"]
    (folder / ".env").write_text(f"MISTRAL_API_KEY={hidden['MISTRAL_API_KEY']}\n", encoding="utf-8")

    def confused(asked: Asked) -> Reply:
        text = " and ".join(told)
        return (200, {}, answer(text)) if asked.model == "answers" else (400, {"x-request-id": told[1]}, error(text, code=told[2]))

    with serving(confused) as server:
        env = {**OTHERS, "OPENAI_BASE_URL": f"{server.url}/v1", "NO_PROXY": "127.0.0.1"}
        words = ("-m", "openai/answers", "-m", "openai/errors", "--no-judge", "--answers", "1")
        done = run(Siuo(folder), "run", "siuo-gen", "--data", data, *words, **env)
    seen.times = len(told)
    seen.expect(done.code == 4, f"exit code {done.code}\n{done.err[-2000:]}")
    secrets = [value for value in told if "//" not in value]
    seen.broken += leaks(folder, *secrets, shown=shown(done))
    seen.words = f"{len(secrets)} keys of others and a proxy's password, {bytes_of(folder):,} bytes searched: {_none(seen)}"
    return seen


def _configured(folder: Path, url: str, variables: Sequence[str], models: Sequence[str]) -> tuple[str, ...]:
    """The words of a run that asks one server as several providers, each with the key of a variable."""
    providers = "".join(f"  lab{n}: {{base_url: '{url}/v1', key_env: {name}}}\n" for n, name in enumerate(variables))
    asked = ", ".join(f"{{model: lab{n}/{model}, label: {model}-{n}}}" for n in range(len(variables)) for model in models)
    text = f"benchmark: siuo-gen\ndata: data\nno_judge: true\nanswers: 1\nmodels: [{asked}]\nproviders:\n{providers}"
    (folder / "mine.yaml").write_text(text, encoding="utf-8")
    return ("run", "-c", "mine.yaml")


def stand_ins(scene: Scene) -> Seen:
    """Servers of one's own take any key; short words that stand for one must spoil no text."""
    seen, folder = Seen(), scene.folder / "run"
    text = "An EMPTY box, x of none: sk or ollama, x."
    make_data(folder / "data", 1)

    def plain(asked: Asked) -> Reply:
        return (200, {}, answer(text)) if asked.model == "answers" else (400, {}, error(f"{text} No such thing."))

    keys = ("EMPTY", "x", "sk", "none", "ollama")
    with serving(plain) as server:
        words = _configured(folder, server.url, [f"LAB_KEY_{n}" for n in range(len(keys))], ("answers", "errors"))
        run(Siuo(folder), *words, code=4, **{f"LAB_KEY_{n}": key for n, key in enumerate(keys)})
    for record in journal(next(folder.glob("results/*"))):
        key = keys[int(record["provider"].partition("@")[0][3:])]
        got = record["answers"][0]["text"] if record["model"] == "answers" else record["error"]["message"]
        seen.expect(text in got, f"{record['model']}: a text was changed by the key {key!r}: {got}")
        seen.times += 1
    seen.expect({each.key for each in server.asked} == set(keys), "not every key was sent")
    seen.words = f"{len(keys)} keys of 1 to 6 characters, {seen.times} answers and errors: all as they came"
    return seen


def rotated(scene: Scene) -> Seen:
    """The key is revoked, another one is set, and the run goes on; one of them begins like the other."""
    seen, folder = Seen(), scene.folder / "run"
    data = make_data(folder / "data", 3)
    old, new = "sk-lab-0123456789abcdefABCDEF", "sk-lab-0123456789abcdefABCDEF-and-the-new-end-77"

    def revoking(asked: Asked) -> Reply:
        if asked.key == old:
            return 401, {}, error(f"{old} was revoked; use {new}", code="invalid_api_key")
        return 200, {}, answer(f"It was {old}, it is {new}.")

    siuo, words = Siuo(folder), ("run", "siuo-gen", "--data", data, "-m", "openai/m", "--no-judge", "--answers", "1")
    with serving(revoking) as server:
        base = {"OPENAI_BASE_URL": f"{server.url}/v1"}
        first = run(siuo, *words, **base, OPENAI_API_KEY=old)
        second = run(siuo, *words, **base, OPENAI_API_KEY=new, OLD_API_KEY=old)
    seen.times = 2
    seen.expect((first.code, second.code) == (3, 0), f"exit codes {first.code}, {second.code}\n{second.err[-1000:]}")
    seen.broken += leaks(folder, old, shown=shown(first, second))
    seen.words = f"401 stopped the run, the new key finished it ({bytes_of(folder):,} bytes searched): {_none(seen)}"
    return seen


def redirected(scene: Scene) -> Seen:
    """A server sends the client, with its key, to another host."""
    seen, folder = Seen(), scene.folder / "run"
    data = make_data(folder / "data", 2)
    with serving(lambda _: (200, {}, answer("mine now"))) as thief:
        statuses = (301, 302, 303, 307, 308)

        def away(asked: Asked) -> Reply:
            return int(asked.model), {"location": f"http://localhost:{thief.port}/v1?key={asked.key}"}, b""

        with serving(away) as server:
            models = [word for status in statuses for word in ("-m", f"openai/{status}")]
            env = {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": KEY}
            done = run(Siuo(folder), "run", "siuo-gen", "--data", data, *models, "--no-judge", "--answers", "1", **env)
    seen.times = len(server.asked)
    seen.expect(not thief.asked, f"{len(thief.asked)} requests followed a redirect")
    seen.broken += leaks(folder, KEY, shown=shown(done))
    seen.words = f"{seen.times} redirects of {len(statuses)} kinds, none followed"
    return seen


LIKE_A_KEY = "sk-proj-4f1C9a77E0Qz7Wm31Bv5"
_CONFIG = "benchmark: siuo-gen\ndata: data\nno_judge: true\nmodels: [lab/m]\nproviders: {{lab: {{{0}}}}}\n"
_URL = "base_url: 'http://127.0.0.1:9/v1'"
_GEN = ("run", "siuo-gen", "--data", "data", "--no-judge", "-m")
MISPLACED: Mapping[str, tuple[str, tuple[str, ...], str]] = {
    "key_env": (_CONFIG.format(f"{_URL}, key_env: {LIKE_A_KEY}"), (), "key_env"),
    "key_env in letters and digits": (_CONFIG.format(f"{_URL}, key_env: aB3{'d5F7h9' * 4}"), (), "key_env"),
    "api_key": (_CONFIG.format(f"{_URL}, api_key: {LIKE_A_KEY}"), (), "api_key"),
    "user and password": (_CONFIG.format("base_url: 'http://me:pass-w0rd-1234@127.0.0.1:9/v1'"), (), "base"),
    "query": (_CONFIG.format(f"base_url: 'http://127.0.0.1:9/v1?key={LIKE_A_KEY}'"), (), "base_url"),
    "unusable URL": (_CONFIG.format("base_url: 'ftp://me:pass-w0rd-1234@h/v1?k=aB3d5F7h9d5F7h9'"), (), "base URL"),
    "a number": (f"benchmark: siuo-gen\nmodels: [sim/m]\nseed: {LIKE_A_KEY}\n", (), "seed"),
    "--param": ("", (*_GEN, "openai/m", "--param", f"api_key={LIKE_A_KEY}"), "params.api_key"),
    "--param, nested": ("", (*_GEN, "openai/m", "--param", f"headers.x=Bearer {LIKE_A_KEY}"), "params.headers.x"),
    "--param, the variable's own": ("", (*_GEN, "openai/m", "--param", f"x={KEY}"), "params.x"),
    "--system": ("", (*_GEN, "openai/m", "--system", LIKE_A_KEY), "system"),
    "--model": ("", (*_GEN, LIKE_A_KEY), "models.0"),
    "an option that is not": ("", ("run", "siuo-gen", f"--api-key={LIKE_A_KEY}"), "--api-key"),
    "a command that is not": ("", (LIKE_A_KEY,), "command"),
    "--temperature": ("", (*_GEN, "openai/m", "--temperature", LIKE_A_KEY), "--temperature"),
}
"""Where a key is put by mistake: (a configuration file, or the words), and what the sentence must name."""


def misplaced(scene: Scene) -> Seen:
    """Keys typed where settings go."""
    seen, folder = Seen(), scene.folder / "run"
    make_data(folder / "data", 1)
    siuo = Siuo(folder)
    done = []
    for name, (config, words, named) in list(MISPLACED.items())[:: -(-len(MISPLACED) // scene.times)]:
        if config:
            (folder / "mine.yaml").write_text(config, encoding="utf-8")
        found = run(siuo, *(("run", "-c", "mine.yaml") if config else words), OPENAI_API_KEY=KEY)
        seen.times += 1
        seen.expect(found.code == 2, f"{name}: exit code {found.code}: {found.err[-600:]}")
        seen.expect(named in found.err, f"{name}: the sentence does not name it: {found.err[-300:]}")
        seen.expect("Traceback" not in found.err, f"{name}: a traceback")
        done.append(found)
    for odd in ('"sk-quoted-0123456789"', "'sk-quoted-0123456789'", "sk-with blank-0123456789", "sk-ünïcode-0123456789"):
        found = run(siuo, *_GEN, "openai/m", OPENAI_API_KEY=odd)
        seen.times += 1
        seen.expect(found.code == 2 and "OPENAI_API_KEY" in found.err, f"{odd}: {found.code} {found.err[-300:]}")
        seen.broken += leaks(folder, odd, shown=shown(found))
        done.append(found)
    (folder / "mine.yaml").unlink()
    keys = (LIKE_A_KEY, KEY, "pass-w0rd-1234", "d5F7h9d5F7h9")
    seen.broken += leaks(folder, *keys, shown=shown(*done))
    seen.words = f"{seen.times} ways to misplace a key: exit 2, the place named, the key not printed, nothing stored"
    return seen


def trimmed(scene: Scene) -> Seen:
    """A key with a line end and blanks around it, as `export X=$(cat file)` and editors leave them, reaches the server clean."""
    seen, folder = Seen(), scene.folder / "run"
    make_data(folder / "data", 1)
    written = {"KEY_A": f"{KEY}\n", "KEY_B": f"  {KEY}\t", "KEY_C": f"{KEY}\r\n"}
    (folder / ".env").write_bytes(f'KEY_D="{KEY}"  # mine\r\nexport KEY_E={KEY}\n'.encode())
    with serving(lambda _: (200, {}, answer("fine"))) as server:
        words = _configured(folder, server.url, [*written, "KEY_D", "KEY_E"], ("m",))
        done = run(Siuo(folder), *words, code=0, **written)
    seen.times = len(server.asked)
    seen.expect({each.key for each in server.asked} == {KEY}, f"{len({each.key for each in server.asked})} different keys were sent")
    seen.broken += leaks(folder, KEY, shown=shown(done))
    seen.words = f"{seen.times} ways to write the same key in a variable or a .env file: the same key is sent"
    return seen


FAULTS: Sequence[Fault] = (
    Fault("secrets", "a server repeats the key", "in no file, no output, whatever the place and the writing", _quick(echoed)),
    Fault("secrets", "a gateway repeats keys of other providers", "nor are they, though never sent there", _quick(others)),
    Fault("secrets", "a key of few letters", "no text is spoilt by taking it out", _quick(stand_ins)),
    Fault("secrets", "the key is revoked and renewed", "the run goes on; the old one is not stored either", _quick(rotated)),
    Fault("secrets", "redirects to another host", "are not followed with a key", _quick(redirected)),
    Fault("secrets", "a key where settings go", "refused without it, never stored", _quick(misplaced), 9, len(MISPLACED)),
    Fault("secrets", "a key with blanks around it", "is sent without them", _quick(trimmed)),
    *PROCESS,
    *TLS,
)
