"""Names of servers and services that people take for engines: all speak the OpenAI protocol."""

from __future__ import annotations

# Where each listens if nothing else is said, or the address of the service.
ADDRESSES = {
    "anthropic": "https://api.anthropic.com/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "gemini": "https://generativelanguage.googleapis.com/v1beta/openai",
    "groq": "https://api.groq.com/openai/v1",
    "litellm": "http://localhost:4000/v1",
    "llamacpp": "http://localhost:8080/v1",
    "llamafile": "http://localhost:8080/v1",
    "lmstudio": "http://localhost:1234/v1",
    "mistral": "https://api.mistral.ai/v1",
    "ollama": "http://localhost:11434/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "sglang": "http://localhost:30000/v1",
    "together": "https://api.together.xyz/v1",
}
_ALSO = {"claude": "anthropic", "google": "gemini", "llamacppserver": "llamacpp"}


def options_instead(name: str) -> str | None:
    """The options that lead to such a server; None where the name is of none."""
    plain = "".join(c for c in name.lower() if c.isalnum())
    address = ADDRESSES.get(_ALSO.get(plain, plain))
    if address is None:
        return None
    key = f", api_key_env = '{plain.upper()}_API_KEY'" if address.startswith("https") else ""
    return f"engine = 'openai', base_url = '{address}'{key}"
