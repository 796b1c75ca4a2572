"""The API behaves as its OpenAPI description says, for requests that schemathesis generates.

Schemathesis uses examples, boundary values, random values and sequences of requests. `make fuzz` runs 20,000 cases; these
tests run fewer.
"""

import pytest

from tests.fuzzing import fuzz, fuzz_admin


def test_the_operations_of_researchers_answer_generated_requests_as_described(deployment):
    code, cases, report = fuzz(deployment, 3, "--seed", "1")
    assert code == 0, report
    assert cases > 1000


def test_the_operations_of_admins_answer_generated_requests_as_described(deployment, tmp_path):
    own_deployment = deployment.copy(tmp_path / "home")
    code, cases, report = fuzz_admin(own_deployment, 3, "--seed", "1")
    own_deployment.close()
    assert code == 0, report
    assert cases > 500


@pytest.mark.extended
def test_the_operations_of_researchers_answer_five_times_as_many_requests_as_described(deployment):
    code, cases, report = fuzz(deployment, 15, "--seed", "2")
    assert code == 0, report
    assert cases > 3000
