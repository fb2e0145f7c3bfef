"""What lets a package become a release: who may approve, the log of what they decided, and the folder of releases."""
