"""The pipelines of docs/ci.md: their command lines are run as they stand, in a project of the kind that
the page describes. Only apt-get is another one, and fthreadprof's wheel holds no more than a way to the
binary under test."""

import json
import os
import re
import subprocess
import zipfile

import harness
import pytest
import yaml
from test_race_command import RACE

# pip fetches pytest.
pytestmark = pytest.mark.full

CACHE = os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))


def pipelines():
    """The YAML blocks of the page: GitHub's, GitLab's."""
    text = (harness.ROOT / "docs/ci.md").read_text()
    return [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.S)]


def write_wheel(path):
    metadata = "fthreadprof-0.1.0.dist-info"
    script = f"import os, sys\ndef main(): os.execv({harness.BINARY!r}, sys.argv)\n"
    files = {
        "fthreadprof_way.py": script,
        f"{metadata}/METADATA": "Metadata-Version: 2.1\nName: fthreadprof\nVersion: 0.1.0\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{metadata}/entry_points.txt": "[console_scripts]\nfthreadprof = fthreadprof_way:main\n",
        f"{metadata}/RECORD": "",
    }
    with zipfile.ZipFile(path / "fthreadprof-0.1.0-py3-none-any.whl", "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)


class Project:
    def __init__(self, directory):
        self.directory = directory
        (directory / "requirements.txt").write_text("pytest\n")
        (directory / "test_app.py").write_text(f"{RACE}\ndef test_hits(): race()\n")
        (directory / "tools").mkdir()
        write_wheel(directory / "tools")
        (directory / "bin").mkdir()
        apt = directory / "bin/apt-get"
        apt.write_text("#!/bin/sh\nexit 0\n")
        apt.chmod(0o755)
        # What the pipeline would restore.
        (directory / ".cache").symlink_to(CACHE)

    def run(self, script, **variables):
        """As a runner does: a shell that ends with the first failure."""
        path = f"{self.directory / 'bin'}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.directory,
            env={**os.environ, "PATH": path, **variables},
            capture_output=True,
            text=True,
            timeout=600,
        )

    def read(self, name):
        return (self.directory / name).read_text(encoding="utf-8")


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


def test_github_actions(project):
    (job,) = pipelines()[0]["jobs"].values()
    summary = project.directory / "summary.md"
    statuses = []
    for step in job["steps"]:
        if "run" not in step or (any(statuses) and step.get("if") != "always()"):
            continue
        run = project.run(step["run"], GITHUB_STEP_SUMMARY=str(summary))
        statuses.append(run.returncode)
        assert run.returncode in (0, 66), run.stdout + run.stderr
    assert statuses == [0, 0, 66, 0]
    uses = {step["uses"].split("@")[0]: step.get("with") for step in job["steps"] if "uses" in step}
    sarif = json.loads(project.read(uses["github/codeql-action/upload-sarif"]["sarif_file"]))
    (result,) = sarif["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (place, result["properties"]["test"]) == ("test_app.py", "test_app.py::test_hits")
    assert "| error | lost-update |" in summary.read_text()
    assert "Stats.hits" in project.read(uses["actions/upload-artifact"]["path"])


def test_gitlab(project):
    (job,) = pipelines()[1].values()
    directory = str(project.directory)
    variables = {
        name: value.replace("$CI_PROJECT_DIR", directory)
        for name, value in job["variables"].items()
    }
    before = project.run("\n".join(job["before_script"]), **variables)
    assert before.returncode == 0, before.stdout + before.stderr
    run = project.run("\n".join(job["script"]), **variables)
    assert run.returncode == 66, run.stdout + run.stderr
    reports = job["artifacts"]["reports"]
    (issue,) = json.loads(project.read(reports["codequality"]))
    assert issue["location"]["path"] == "test_app.py"
    assert 'failures="1"' in project.read(reports["junit"])
    (page,) = job["artifacts"]["paths"]
    assert "Stats.hits" in project.read(page)
