"""Contracts between the packages that do not wait for `make check`."""

import grimp


def test_no_module_of_the_api_imports_the_pipeline():
    """Directly or through others: so no request can reach a raw event."""
    graph = grimp.build_graph("api", "auth", "datasets")
    below = {"datasets.pipeline", *graph.find_descendants("datasets.pipeline")}
    assert "datasets.pipeline.run" in below
    assert {
        module for module in below if graph.find_shortest_chains("api", module, as_packages=True)
    } == set()
