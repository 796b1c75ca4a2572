"""What the description says, the API does: tried by schemathesis with examples, at the edges, at random, and in sequences.

`make fuzz` tries 20,000 cases; here are fewer.
"""

from tests.fuzzing import fuzz, fuzz_admin


def test_no_request_that_schemathesis_makes_up_meets_anything_but_what_is_described(deployment):
    code, cases, report = fuzz(deployment, 3, "--seed", "1")
    assert code == 0, report
    assert cases > 1000


def test_no_act_that_schemathesis_makes_up_meets_anything_but_what_is_described(deployment, tmp_path):
    place = deployment.copy(tmp_path / "home")
    code, cases, report = fuzz_admin(place, 3, "--seed", "1")
    place.close()
    assert code == 0, report
    assert cases > 500
