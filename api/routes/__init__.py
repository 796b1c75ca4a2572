"""One file for each noun of the API. `api.app` adds their routers to the application."""
