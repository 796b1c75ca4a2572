"""What the description says, the API does: tried by schemathesis with examples, at the edges, at random, and in sequences.

`make fuzz` tries 20,000 cases; here are fewer.
"""

from tests.fuzzing import fuzz


def test_no_request_that_schemathesis_makes_up_meets_anything_but_what_is_described(deployment):
    code, cases, report = fuzz(deployment, 3, "--seed", "1")
    assert code == 0, report
    assert cases > 1000
