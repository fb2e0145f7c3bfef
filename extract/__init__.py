"""The way in: REDCap's API and exports, kept as immutable snapshots that the next stages read."""
