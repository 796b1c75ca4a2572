"""One file per noun; `api.app` puts them together."""
