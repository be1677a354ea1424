"""Scenarios, a module for each group of rules; every module here is loaded."""
