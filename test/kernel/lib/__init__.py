"""The machinery of the differential harness; `../README.md` says how the parts fit together."""
