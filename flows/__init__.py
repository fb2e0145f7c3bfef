"""When and where the stages run: the command line, the plain pipeline and the Prefect flow over it."""
