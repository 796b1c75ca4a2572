"""Reports made of releases: risk indicators for each commitment, the official parts, and what others have published."""
