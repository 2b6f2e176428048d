"""The race report in the formats of CI systems: golden files (tests/unit/race compares the writers'
output with them) and a real run's files follow the formats' rules."""

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import harness
import jsonschema
import pytest
import race_harness
from test_race_command import RACE

DATA = harness.ROOT / "tests/data"
REPORTS = ["sample-report", "hostile-report"]
FORMATS = ["txt", "json", "sarif", "xml", "md", "html", "codequality.json"]

# What GitLab's documentation says that it needs.
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^[^/]"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def golden(name):
    return (DATA / "race" / name).read_text(encoding="utf-8")


def sarif_validator():
    schema = json.loads((DATA / "sarif/sarif-2.1.0-rtm.5.json").read_text())
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def check_sarif(text):
    document = json.loads(text)
    sarif_validator().validate(document)
    (run,) = document["runs"]
    for result in run["results"]:
        links = re.findall(r"(?<!\\)\]\((.*?)\)", result["message"]["text"])
        ids = [str(location["id"]) for location in result.get("relatedLocations", [])]
        assert links == ids, "a link leads nowhere, or a name made one"
    return run


def check_junit(text):
    suites = ElementTree.fromstring(text.encode())
    (suite,) = suites
    cases = suite.findall("testcase")
    for element in (suites, suite):
        assert int(element.get("tests")) == len(cases)
        assert int(element.get("failures")) == len(suite.findall("testcase/failure"))
    assert len({case.get("name") for case in cases}) == len(cases)
    return cases


def check_code_quality(text):
    issues = json.loads(text)
    jsonschema.Draft7Validator(CODE_QUALITY).validate(issues)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


@pytest.mark.parametrize("name", REPORTS)
def test_golden_sarif(name):
    assert check_sarif(golden(f"{name}.sarif"))["results"]


@pytest.mark.parametrize(
    "path, value",
    [
        (("version",), "2.0.0"),
        (("runs", 0, "results", 0, "level"), "fatal"),
        (("runs", 0, "results", 0, "locations"), {}),
        (("runs", 0, "results", 0, "race"), 1),
    ],
)
def test_the_sarif_schema_catches_mistakes(path, value):
    document = part = json.loads(golden("sample-report.sarif"))
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    assert not sarif_validator().is_valid(document)


def test_golden_junit():
    cases = check_junit(golden("sample-report.xml"))
    assert [case.find("failure").get("type") for case in cases] == ["lost-update", "data-race"]
    (note,) = check_junit(golden("hostile-report.xml"))
    assert note.find("failure") is None
    assert "<script>alert(1)</script>" in note.find("system-out").text


@pytest.mark.parametrize("name", REPORTS)
def test_golden_code_quality(name):
    assert check_code_quality(golden(f"{name}.codequality.json"))


@pytest.mark.parametrize("name", REPORTS)
def test_golden_markdown(name):
    """Outside of code blocks there is no markup but ours."""
    text = re.sub(r"^(```+)text\n.*?^\1$", "", golden(f"{name}.md"), flags=re.M | re.S)
    assert set(re.findall(r"</?\w+", text)) == {
        *("<details", "</details", "<summary", "</summary", "<b", "</b", "<code", "</code")
    }
    assert not re.search(r"(?<!\\)[\[\]`]", text)
    assert "@you" not in text


def run_all_formats(directory, *options):
    """Runs a program with a race; returns the outputs by their endings."""
    program = directory / "a dir" / "app.py"
    program.parent.mkdir()
    program.write_text(f"{RACE}\nrace()\n")
    outputs = [f"-o{directory / 'out'}.{ending}" for ending in FORMATS]
    command = [harness.BINARY, "race", "--python", race_harness.race_python(), *outputs, *options]
    run = subprocess.run(
        [*command, "--", "python3", "a dir/app.py"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 66, run.stderr
    return {ending: (directory / f"out.{ending}").read_text("utf-8") for ending in FORMATS}


def test_all_formats_of_a_run_agree(tmp_path):
    outputs = run_all_formats(tmp_path)
    (race,) = json.loads(outputs["json"])["races"]
    line = 1 + RACE.splitlines().index("        stats.hits += 1")
    (result,) = check_sarif(outputs["sarif"])["results"]
    assert result["partialFingerprints"] == {"fthreadprofRace/v1": race["id"]}
    assert result["occurrenceCount"] == race["count"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20dir/app.py"
    assert place["region"]["startLine"] == line
    assert [len(stack["frames"]) for stack in result["stacks"]] == [
        len(access["stack"]) for access in race["accesses"]
    ]
    (case,) = check_junit(outputs["xml"])
    assert (case.get("file"), case.get("line")) == ("a dir/app.py", str(line))
    assert race["id"] in case.get("name")
    (issue,) = check_code_quality(outputs["codequality.json"])
    assert issue["fingerprint"] == race["id"]
    assert issue["location"] == {"path": "a dir/app.py", "lines": {"begin": line}}
    for ending in ("txt", "xml", "md", "html"):
        assert "Stats.hits" in outputs[ending] and race["id"] in outputs[ending]


def test_excerpts_are_left_out_when_not_wanted(tmp_path):
    def where(directory, text, *options):
        directory.mkdir()
        outputs = run_all_formats(directory, *options)
        return {ending for ending, output in outputs.items() if text in output}

    source = "stats.hits += 1"
    assert where(tmp_path / "with", source) == {"txt", "sarif", "xml", "md", "html"}
    assert where(tmp_path / "without", source, "--no-source") == set()
