"""Reasoned requests, projects, their statutory deadlines and the notices to coordinators."""
