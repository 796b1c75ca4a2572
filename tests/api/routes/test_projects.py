"""/v1/projects: the public summary."""


def test_the_public_summary_of_projects_names_no_person(deployment, anyone):
    deployment.token()
    listed = anyone.get("/v1/projects").json()["projects"]
    assert {
        "reference",
        "dsc",
        "purpose",
        "datasets",
        "modality",
        "first_day",
        "end",
        "status",
        "versions",
    } == set(listed[0])
    assert "researcher@example.org" not in anyone.get("/v1/projects").text
