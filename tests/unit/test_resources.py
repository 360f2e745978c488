"""What jobs ask of a machine is said in one place, the top of rules/common.smk."""

from __future__ import annotations

import re
from pathlib import Path

RULES = sorted((Path(__file__).parents[2] / "rules").glob("*.smk"))
ASKED = re.compile(
    r"^ +(threads: |gpu=|mem_mb=|runtime=|disk_mb=|priority: )(.+?),?$", re.MULTILINE
)
RULE = re.compile(r"^rule (\w+):\n((?:(?!^rule ).)*)", re.MULTILINE | re.DOTALL)
FROM_ONE_PLACE = {
    "threads: ": r'1|THREADS\["\w+"\]',  # one core is what a rule has without a word
    "gpu=": r"NODE\.gpus",
    "mem_mb=": r"NODE\.mem_mb",
    "runtime=": r'RUNTIME\["\w+"\]',
    "priority: ": r'PRIORITY\["\w+"\]',
}


def asked() -> list[tuple[str, str, str]]:
    """Return rules file, resource and value of all that rules ask for; scopes are no requests."""
    texts = [(rules.name, rules.read_text().split("resource_scopes:")[0]) for rules in RULES]
    return [(name, *found) for name, text in texts for found in ASKED.findall(text)]


def test_rules_take_cores_gpus_memory_and_times_from_one_place() -> None:
    assert {resource for _, resource, _ in asked()} == FROM_ONE_PLACE.keys()
    elsewhere = [one for one in asked() if not re.fullmatch(FROM_ONE_PLACE[one[1]], one[2])]
    assert elsewhere == []


def test_whatever_the_place_says_is_asked_by_the_rule_of_that_name() -> None:
    common = next(path for path in RULES if path.name == "common.smk").read_text()
    for table in ("THREADS", "RUNTIME", "PRIORITY"):
        entries = common.split(f"\n{table} = {{")[1].split("\n}")[0]
        named = set(re.findall(r'^    "(\w+)":', entries, re.MULTILINE))
        uses = set(re.findall(rf'{table}\["(\w+)"\]', "".join(p.read_text() for p in RULES)))
        assert named == uses
        for rule, body in RULE.findall("\n".join(path.read_text() for path in RULES)):
            assert all(use == rule for use in re.findall(rf'{table}\["(\w+)"\]', body))
