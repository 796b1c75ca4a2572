"""/v1/admin/audit: the exported log."""

import hashlib
import json


def test_the_exported_audit_can_be_verified_without_this_program(owner, place):
    *lines, head = [json.loads(line) for line in owner.get("/v1/admin/audit").text.splitlines()]
    previous = "0" * 64
    for seq, line in enumerate(lines, start=1):
        found = line.pop("hash")
        assert (line["seq"], line["previous"]) == (seq, previous)
        text = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert previous == found
    assert head["head"] == previous
    tail = owner.get("/v1/admin/audit", params={"after": len(lines) - 2}).text.splitlines()
    assert len(tail) == 3
