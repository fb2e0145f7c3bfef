"""One machine's place: Prefect's server, a worker, the sandbox and the pages, started and stopped together."""
