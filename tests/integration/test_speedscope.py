"""Our speedscope files follow the published schema (tests/data/speedscope)."""

import json
import pathlib
import subprocess

import harness
import jsonschema
import pytest

SCHEMA = harness.ROOT / "tests/data/speedscope/file-format-schema.json"
EXPORT_SAMPLE = pathlib.Path(harness.BINARY).parent / "tests/export_sample"


def validator():
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.mark.parametrize("kind", ["busy", "by-state", "deep", "empty"])
def test_made_up_profile(kind, tmp_path):
    output = tmp_path / "out.speedscope.json"
    subprocess.run([EXPORT_SAMPLE, kind, "speedscope", output], check=True)
    document = json.loads(output.read_text(encoding="utf-8"))
    validator().validate(document)
    assert document["profiles"]


def test_recording(spinner, tmp_path):
    outputs = ("out.speedscope.json",)
    recording = harness.record(tmp_path, "-p", spinner.pid, "-d", 0.5, outputs=outputs).check()
    document = json.loads(recording.read("out.speedscope.json"))
    validator().validate(document)
    assert any(profile["samples"] for profile in document["profiles"])


def test_the_schema_catches_mistakes(tmp_path):
    output = tmp_path / "out.speedscope.json"
    subprocess.run([EXPORT_SAMPLE, "deep", "speedscope", output], check=True)
    document = json.loads(output.read_text())
    document["profiles"][0]["unit"] = "fortnights"
    assert not validator().is_valid(document)
