"""The upstreams behind Lintel, the configuration that names them, and where each client's calls go.

Every upstream is reached in the client's own protocol where it speaks it, else by translation. Knows no client.
"""

import contextlib
import os
import re
import subprocess

from harness import Process

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
PYTHON = os.path.join(TESTS, "..", ".test", "venv", "bin", "python")
PROTOCOLS = ("openai", "anthropic", "gemini", "bedrock")
# By upstream and protocol (or surface) of the client: the route. llama.cpp speaks OpenAI's protocol and Anthropic's.
ROUTES = {
    "sandbox": dict.fromkeys((*PROTOCOLS, "embeddings"), "sandbox"),
    "aimock": {**{name: f"aimock-{name}" for name in PROTOCOLS}, "embeddings": "aimock-openai"},
    # By surface, so that every protocol is one that others are translated to.
    "aimock-translated": {"chat": "aimock-anthropic", "responses": "aimock-gemini", "messages": "aimock-bedrock", "gemini": "aimock-openai", "converse": "aimock-gemini"},
    "llama.cpp": {**dict.fromkeys(PROTOCOLS, "llama-openai"), "anthropic": "llama-anthropic", "embeddings": "llama-embeddings"},
}
CONFIG = """
prices: {{ unknown_model: allow_unpriced }}
providers:
  sandbox: {{ protocol: sandbox }}
  aimock-openai: {{ protocol: openai, base_url: "{aimock}/v1" }}
  aimock-anthropic: {{ protocol: anthropic, base_url: "{aimock}" }}
  aimock-gemini: {{ protocol: gemini, base_url: "{aimock}/v1beta" }}
  aimock-bedrock: {{ protocol: bedrock, base_url: "{aimock}" }}
  llama-openai: {{ protocol: openai, base_url: "{llama}/v1" }}
  llama-anthropic: {{ protocol: anthropic, base_url: "{llama}" }}
  llama-embeddings: {{ protocol: openai, base_url: "{embedder}/v1" }}
routes:
  sandbox: {{ tiers: [ {{ targets: [ {{ provider: sandbox, model: sandbox }} ] }} ] }}
  limited: {{ tiers: [ {{ targets: [ {{ provider: sandbox, model: sandbox-e429 }} ] }} ] }}
"""
ROUTE = "  {name}: {{ tiers: [ {{ targets: [ {{ provider: {name}, model: {model} }} ] }} ] }}\n"
MODELS = {"aimock": "mock", "llama": "tiny"}


@contextlib.contextmanager
def started(folder):
    """Starts them on ports that the system chooses; gives their addresses."""
    model = os.path.join(folder, "tiny.gguf")
    subprocess.run([PYTHON, os.path.join(TESTS, "llamacpp", "mkgguf.py"), model], check=True, timeout=60)
    ready = re.compile(r"listening on (http://[0-9.:]+)")
    serve = [PYTHON, os.path.join(TESTS, "llamacpp", "serve.py"), model]
    mock = ["node", os.path.join(TESTS, "node_modules", ".bin", "llmock"), "--port", "0", "--fixtures", os.path.join(HERE, "aimock.json")]
    # Set but empty, it would be taken for a list of keys.
    environment = {name: value for name, value in os.environ.items() if name != "AIMOCK_API_KEYS"}
    with contextlib.ExitStack() as stack:
        found = {}
        for name, command in {"aimock": mock, "llama": serve, "embedder": [*serve, "--embedding"]}.items():
            process = Process(command, ready, 60, env=environment)
            stack.callback(process.stop)
            found[name] = process.found.group(1)
        yield found


def configuration(found, protocols=PROTOCOLS):
    """Lintel's configuration for these addresses, with the providers of these protocols."""
    text = CONFIG.format(**found)
    names = [name for name in re.findall(r"^  ((?:aimock|llama)-\w+):", text, re.M)]
    routes = "".join(ROUTE.format(name=name, model=MODELS[name.split("-")[0]]) for name in names)
    return text + routes


@contextlib.contextmanager
def behind_tls(url, folder):
    """The same place behind TLS: its address, and the file with the authority's certificate."""
    ca_file = os.path.join(folder, "authority.pem")
    process = Process([PYTHON, os.path.join(HERE, "tls_front.py"), url, ca_file], re.compile(r"listening on (https://\S+)"), 20)
    try:
        yield {"tls_base": process.found.group(1), "ca_file": ca_file}
    finally:
        process.stop()


def through(url, tls):
    """Where clients go: Lintel, by the route's name."""
    return {upstream: {"base": url, "models": routes, **tls} for upstream, routes in ROUTES.items()}


def bare(found, tls):
    """Where clients go without Lintel: to the upstreams, in the protocols that these speak themselves."""
    llama = {"openai": "tiny", "anthropic": "tiny", "embeddings": "tiny"}
    return {
        "aimock": {"base": found["aimock"], "models": dict.fromkeys((*PROTOCOLS, "embeddings"), "mock"), "gemini_version": "v1beta", **tls},
        "llama.cpp": {"base": found["llama"], "embedder": found["embedder"], "models": llama},
    }
