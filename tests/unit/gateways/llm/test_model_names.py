"""Which names belong to models that run elsewhere."""

import pytest

from youworker_app.gateways.llm.ollama_models import is_remote


@pytest.mark.parametrize(
    ("name", "remote"),
    [
        ("gpt-oss:120b-cloud", True),
        ("kimi-k2:cloud", True),
        ("llama3.2:3b", False),
        ("cloud-expert:7b", False),
        ("cloudy:latest", False),
    ],
)
def test_cloud_models_are_recognised(name: str, remote: bool) -> None:
    assert is_remote(name) is remote
