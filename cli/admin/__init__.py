"""`daylight admin`: projects, researchers, tokens, applications, admins, notices."""
