"""The race report as JSON follows its schema (tests/data/race/race.schema.json)."""

import copy
import json

import harness
import jsonschema
import pytest

DATA = harness.ROOT / "tests/data/race"


def validator():
    schema = json.loads((DATA / "race.schema.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def sample():
    """What tests/unit/race/json_report_test.cc compares the writer's output with."""
    return json.loads((DATA / "sample-report.json").read_text(encoding="utf-8"))


def test_sample_report():
    document = sample()
    validator().validate(document)
    assert [race["severity"] for race in document["races"]] == ["error", "warning"]


@pytest.mark.parametrize(
    "path, value",
    [
        (("schema",), "fthreadprof.race/2"),
        (("summary", "exit_status"), None),
        (("races", 0, "kind"), "race"),
        (("races", 0, "accesses"), []),
        (("races", 0, "object", "created"), "here"),
        (("races", 0, "accesses", 0, "stack", 0, "line"), "12"),
        (("races", 0, "accesses", 0, "source"), "x = 1"),
        (("suppressed", "by_rule"), -1),
        (("suppressions", 0, "reason"), ""),
        (("gone", 0, "kind"), "race"),
    ],
)
def test_the_schema_catches_mistakes(path, value):
    document = copy.deepcopy(sample())
    part = document
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not validator().is_valid(document)
